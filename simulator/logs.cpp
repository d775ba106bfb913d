// `logs JOB`: a step's output, from a cluster that runs in another process.
#include "simulator/attempts.hpp"
#include "simulator/connection.hpp"
#include "simulator/steps.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

struct Reading {
    const LogsOptions& options;
    const Terminal& terminal;
    Connection& cluster;
    int code = exit_ok;

    asio::awaitable<void> go();
    asio::awaitable<Result<std::vector<ObjectPtr>>> pods_with(std::string label);
    asio::awaitable<Result<ObjectPtr>> find_pod();
    asio::awaitable<Result<ObjectPtr>> find_started_pod();
    asio::awaitable<Result<std::string>> find_attempt();
    asio::awaitable<Result<std::string>> find_path();
    std::string path_of(const Object& pod) const;
};

asio::awaitable<Result<std::vector<ObjectPtr>>> Reading::pods_with(std::string label) {
    ListScope scope;
    scope.kind = &kind_of("v1", "Pod");
    scope.ns = options.ns;
    scope.label_selector = label + "=" + options.job;
    auto listed = co_await cluster.client->list(std::move(scope));
    if (!listed) co_return listed.error();
    co_return std::move(listed->items);
}

asio::awaitable<Result<ObjectPtr>> Reading::find_pod() {
    std::vector<ObjectPtr> pods;
    for (const char* label : {"jobset.sigs.k8s.io/jobset-name", "job-name"}) {
        auto found = co_await pods_with(label);
        if (!found) co_return found.error();
        pods = std::move(*found);
        if (!pods.empty()) break;
    }
    if (pods.empty())
        co_return Error{Reason::not_found, "no pods of a job \"" + options.job +
                                               "\" in namespace " + options.ns +
                                               "; kubectl get trainjobs -A lists the jobs"};
    std::string known;
    for (const Step& step : steps_of(pods)) {
        if (step.name == options.step) co_return step.pod;
        known += (known.empty() ? "" : ", ") + step.name;
    }
    co_return Error{Reason::bad_request, "job \"" + options.job + "\" has no step \"" +
                                             options.step + "\"; it has " + known};
}

// With --follow a pod that has not started yet is waited for.
asio::awaitable<Result<ObjectPtr>> Reading::find_started_pod() {
    constexpr auto again = std::chrono::milliseconds(100);
    for (;;) {
        auto pod = co_await find_pod();
        if (!pod || !options.follow || has_started(**pod, main_container(**pod))) co_return pod;
        asio::steady_timer timer(cluster.io, again);
        co_await timer.async_wait(asio::use_awaitable);
    }
}

std::string Reading::path_of(const Object& pod) const {
    std::string path = "/api/v1/namespaces/" + percent_encode(pod.ns()) + "/pods/" +
                       percent_encode(pod.name()) +
                       "/log?container=" + percent_encode(main_container(pod));
    if (options.follow) path += "&follow=true";
    if (options.timestamps) path += "&timestamps=true";
    if (options.tail) path += "&tailLines=" + std::to_string(*options.tail);
    return path;
}

// The path of one of all the step's attempts, whether its pod is still there or not.
asio::awaitable<Result<std::string>> Reading::find_attempt() {
    auto pods = co_await fetch_attempts(cluster, options.ns);
    if (!pods) co_return pods.error();
    const auto attempts = attempts_of_step(*pods, options.job, options.step);
    if (attempts.empty())
        co_return Error{Reason::not_found, "nothing is kept of step \"" + options.step + "\" of job \"" +
                                               options.job + "\" in namespace " + options.ns};
    const auto count = static_cast<int>(attempts.size());
    const int wanted = options.attempt.value_or(count - 1);
    if (wanted < 1 || wanted > count)
        co_return Error{Reason::bad_request, "step \"" + options.step + "\" of job \"" + options.job + "\" has " +
                                                 std::to_string(count) +
                                                 (count == 1 ? " attempt" : " attempts; the first is 1")};
    std::string path = kept_log_path(options.ns, attempts[static_cast<std::size_t>(wanted - 1)]);
    if (options.timestamps) path += "&timestamps=true";
    if (options.tail) path += "&tailLines=" + std::to_string(*options.tail);
    co_return path;
}

asio::awaitable<Result<std::string>> Reading::find_path() {
    if (options.attempt || options.previous) co_return co_await find_attempt();
    const auto pod = co_await find_started_pod();
    if (!pod) co_return pod.error();
    co_return path_of(**pod);
}

asio::awaitable<void> Reading::go() {
    auto path = co_await find_path();
    if (!path) {
        code = report(terminal, path.error());
        co_return;
    }
    std::function<void(std::string_view)> show = [](std::string_view chunk) {
        std::cout << chunk << std::flush;
    };
    auto response = co_await cluster.http.stream(std::move(*path), std::move(show));
    if (!response) {
        code = report(terminal, response.error());
    } else if (response->status >= 400) {
        const auto status = parse_json(response->body);
        code = report(terminal, error_of(response->status, status ? *status : Json()));
    }
}

}  // namespace

int command_logs(const LogsOptions& options) {
    return run_connected(options.common, [&options](Connection& connection) -> asio::awaitable<int> {
        const Terminal terminal(options.common.plain, options.common.quiet);
        Reading reading{options, terminal, connection};
        co_await reading.go();
        co_return reading.code;
    });
}

}  // namespace shed
