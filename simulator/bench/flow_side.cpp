#include "simulator/bench/flow_side.hpp"

#include "fakes/apiserver/apiserver.hpp"
#include "fakes/client/informer.hpp"
#include "fakes/net/tasks.hpp"
#include "simulator/job_watch.hpp"
#include "simulator/steps.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed::bench {

namespace {

constexpr std::size_t told_of_log = 2000;  // bytes of a failed job's log in the error
constexpr std::string_view jobset_label = "jobset.sigs.k8s.io/jobset-name";

// Watches one job's objects and notes when what was first seen.
class LaunchWatch {
public:
    LaunchWatch(asio::any_io_executor executor, Client& client, std::string name, int workers)
        : client_(client),
          name_(std::move(name)),
          workers_(workers),
          changed_(executor, asio::steady_timer::time_point::max()),
          tasks_(executor) {
        tasks_.spawn("bench.pods", follow(&kind_of("v1", "Pod")));
        tasks_.spawn("bench.job", follow(&kind_of("trainer.kubeflow.org/v1alpha1", "TrainJob")));
    }

    // True: ended well, false: failed; nullopt: not within the limit, or interrupted.
    asio::awaitable<std::optional<bool>> until_ended(std::chrono::seconds limit) {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (!outcome_ && std::chrono::steady_clock::now() < deadline) {
            changed_.expires_at(deadline);
            const auto [ec] = co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
            const auto state = co_await asio::this_coro::cancellation_state;
            if (ec && state.cancelled() != asio::cancellation_type::none) break;
        }
        co_return outcome_;
    }
    // Its tasks use it: none may outlive it.
    asio::awaitable<void> end() { return tasks_.end(); }
    const LaunchMarks& marks() const { return marks_; }
    const ObjectPtr& launcher() const { return launcher_; }

private:
    asio::awaitable<void> follow(const Kind* kind) {
        Informer::Handlers handlers;
        handlers.put = [this](const ObjectPtr& object) { look(object); };
        handlers.erase = [](const ObjectPtr&) {};
        ListScope scope;
        scope.kind = kind;
        scope.ns = "default";
        SystemClock clock;
        Informer informer(client_, clock, scope, handlers);
        co_await informer.run();
    }
    void look(const ObjectPtr& object) {
        if (object->kind().kind == "TrainJob" && object->name() == name_) look_at_job(*object);
        if (object->kind().kind == "Pod" && object->label(jobset_label) == name_) look_at_pod(object);
    }
    void look_at_job(const Object& job) {
        if (outcome_) return;
        outcome_ = outcome_of(job);
        if (!outcome_) return;
        marks_.complete = wall_seconds();
        changed_.cancel();
    }
    void look_at_pod(const ObjectPtr& pod) {
        const bool running = string_at(pod->dom(), "status.phase") != "Pending";
        if (!serves_a_launcher(*pod)) {
            launcher_ = pod;
            if (running && marks_.launcher_running == 0) marks_.launcher_running = wall_seconds();
            return;
        }
        if (running && running_.insert(pod->uid()).second && static_cast<int>(running_.size()) == workers_)
            marks_.workers_running = wall_seconds();
        if (condition_true(pod->dom(), "Ready") && ready_.insert(pod->uid()).second &&
            static_cast<int>(ready_.size()) == workers_)
            marks_.workers_ready = wall_seconds();
    }

    Client& client_;
    std::string name_;
    int workers_;
    LaunchMarks marks_;
    std::set<std::string> running_, ready_;  // uids of workers
    ObjectPtr launcher_;
    std::optional<bool> outcome_;
    asio::steady_timer changed_;
    Tasks tasks_;
};

asio::awaitable<std::string> log_of(PodLogs& logs, ObjectPtr pod) {
    PodLogs::Query query;
    query.container = main_container(*pod);
    query.attempt = attempt_of(*pod, query.container);
    query.pod = std::move(pod);
    const std::unique_ptr<PodLogs::Stream> stream = logs.open(query);
    std::string text;
    for (;;) {
        const auto more = co_await stream->read();
        if (!more || more->empty()) break;
        text += *more;
    }
    co_return text;
}

std::string end_of(const std::string& log) {
    if (log.size() <= told_of_log) return log;
    const auto line = log.find('\n', log.size() - told_of_log);
    return "...\n" + log.substr(line == std::string::npos ? log.size() - told_of_log : line + 1);
}

}  // namespace

double wall_seconds() {
    return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

asio::awaitable<Result<void>> FlowSide::prepare() {
    Key key;
    key.kind = &kind_of("trainer.kubeflow.org/v1alpha1", "ClusterTrainingRuntime");
    key.name = "mlx-distributed";
    const auto shipped = co_await cluster_.client().get(key);
    if (!shipped) co_return shipped.error();
    const Json runtime = runtime_for(plan_, (*shipped)->dom());
    const auto made = co_await cluster_.client().create(runtime, WriteOptions());
    if (!made) co_return made.error();
    co_return Result<void>();
}

asio::awaitable<Result<FlowRun>> FlowSide::run(std::string name, std::chrono::seconds limit) {
    const auto executor = co_await asio::this_coro::executor;
    LaunchWatch watch(executor, cluster_.client(), name, plan_.workers());
    FlowRun run;
    run.marks.submitted = wall_seconds();
    const Json job = trainjob_for(plan_, name);
    const auto made = co_await cluster_.client().create(job, WriteOptions());
    std::optional<bool> good;
    if (made) good = co_await watch.until_ended(limit);
    co_await watch.end();
    if (!made) co_return made.error();
    if (watch.launcher()) run.log = co_await log_of(cluster_.pod_logs(), watch.launcher());
    if (!good || !*good)
        co_return Error{good ? Reason::internal : Reason::timeout,
                        "TrainJob " + name + (good ? " failed:\n" : " did not end in time:\n") + end_of(run.log)};
    const double submitted = run.marks.submitted;
    run.marks = watch.marks();
    run.marks.submitted = submitted;
    const auto removed = co_await remove(std::move(name));
    if (!removed) co_return removed.error();
    co_return run;
}

// Nothing of it may run on beside the next one.
asio::awaitable<Result<void>> FlowSide::remove(std::string name) {
    const auto executor = co_await asio::this_coro::executor;
    Key key;
    key.kind = &kind_of("trainer.kubeflow.org/v1alpha1", "TrainJob");
    key.ns = "default";
    key.name = name;
    const auto removed = co_await cluster_.client().remove(key, Json());
    if (!removed) co_return removed.error();
    ListScope pods;
    pods.kind = &kind_of("v1", "Pod");
    pods.ns = "default";
    pods.label_selector = std::string(jobset_label) + "=" + name;
    asio::steady_timer pause(executor);
    for (;;) {
        const auto left = co_await cluster_.client().list(pods);
        if (!left) co_return left.error();
        if (left->items.empty()) co_return Result<void>();
        pause.expires_after(std::chrono::milliseconds(5));
        co_await pause.async_wait(asio::use_awaitable);
    }
}

}  // namespace shed::bench
