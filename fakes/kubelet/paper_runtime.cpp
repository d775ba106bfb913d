#include "fakes/kubelet/kubelet.hpp"
#include "fakes/net/tasks.hpp"

#include <set>

namespace shed {

namespace asio = boost::asio;

struct PaperRuntime::Impl {
    using Name = std::pair<std::string, std::string>;  // pod uid, container
    struct Run {
        int attempt = 0;
        int stop_code = 143;
        Time started{};
    };
    Clock& clock;
    Tasks tasks;
    ExitHandler exited = {};
    std::function<Behaviour(const ContainerRequest&)> decide = [](const ContainerRequest&) {
        return Behaviour{};
    };
    std::function<Result<int>(const std::string&, int)> answer = [](const std::string&, int) {
        return Result<int>(0);
    };
    std::map<Name, Run> runs = {};
    std::function<Result<ExecResult>(const ExecRequest&)> execute = [](const ExecRequest&) {
        return Result<ExecResult>(ExecResult{});
    };
    std::set<std::string> sandboxes = {};
    std::vector<Spec> operations = {};
    std::vector<ContainerRequest> started = {};
    std::string dns = {}, why_not_limited = {};

    void end(const Name& name, int attempt, int code) {
        const auto run = runs.find(name);
        if (run == runs.end() || run->second.attempt != attempt) return;
        const ContainerExit exit{name.first, name.second,         attempt,    code,
                                 0,          run->second.started, clock.now()};
        runs.erase(run);
        if (exited) exited(exit);
    }

    // It may be resumed after the runtime has gone, by its cancellation.
    asio::awaitable<void> end_later(Name name, int attempt, Time at, int code) {
        const std::weak_ptr<bool> still = alive;
        co_await clock.sleep_until(at);
        if (!still.expired()) end(name, attempt, code);
    }

    std::shared_ptr<bool> alive = std::make_shared<bool>(true);
};

// A runtime without processes has nothing to look into.
asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> Runtime::exec_stream(ExecRequest,
                                                                             CommandStreams) {
    co_return Error{Reason::environment, "the pods of this cluster have no processes"};
}

asio::awaitable<Result<PodSocket>> Runtime::container_input(std::string, std::string) {
    co_return Error{Reason::environment, "the containers of this cluster have no input"};
}

asio::awaitable<void> Runtime::end_container_input(std::string, std::string) { co_return; }

asio::awaitable<Result<PodSocket>> Runtime::dial(std::string, int) {
    co_return Error{Reason::environment, "the pods of this cluster have no network"};
}

PaperRuntime::PaperRuntime(Clock& clock, asio::any_io_executor executor)
    : impl_(new Impl{clock, Tasks(std::move(executor))}) {}
PaperRuntime::~PaperRuntime() = default;

void PaperRuntime::behave(std::function<Behaviour(const ContainerRequest&)> decide) {
    impl_->decide = std::move(decide);
}
void PaperRuntime::answer_probes(std::function<Result<int>(const std::string&, int)> answer) {
    impl_->answer = std::move(answer);
}
void PaperRuntime::limit_nothing(std::string why) { impl_->why_not_limited = std::move(why); }
std::string PaperRuntime::unenforced(std::string_view) const { return impl_->why_not_limited; }
void PaperRuntime::answer_commands(std::function<Result<ExecResult>(const ExecRequest&)> answer) {
    impl_->execute = std::move(answer);
}
void PaperRuntime::on_exit(ExitHandler handler) { impl_->exited = std::move(handler); }
const std::vector<Spec>& PaperRuntime::file_operations() const { return impl_->operations; }
const std::vector<ContainerRequest>& PaperRuntime::started() const { return impl_->started; }
const std::string& PaperRuntime::dns() const { return impl_->dns; }
std::vector<std::string> PaperRuntime::sandboxes() const {
    return {impl_->sandboxes.begin(), impl_->sandboxes.end()};
}

bool PaperRuntime::running(const std::string& pod_uid, const std::string& name) const {
    return impl_->runs.contains({pod_uid, name});
}

void PaperRuntime::end(const std::string& pod_uid, const std::string& name, int code) {
    const Impl::Name key{pod_uid, name};
    if (const auto run = impl_->runs.find(key); run != impl_->runs.end())
        impl_->end(key, run->second.attempt, code);
}

asio::awaitable<Result<void>> PaperRuntime::files(Spec operations) {
    impl_->operations.push_back(std::move(operations));
    co_return Result<void>{};
}

asio::awaitable<Result<void>> PaperRuntime::start_sandbox(SandboxRequest request) {
    impl_->sandboxes.insert(request.pod_uid);
    co_return Result<void>{};
}

asio::awaitable<Result<void>> PaperRuntime::start_container(ContainerRequest request) {
    const Behaviour behaviour = impl_->decide(request);
    if (!behaviour.start_error.empty()) co_return Error{Reason::environment, behaviour.start_error};
    const Impl::Name name{request.pod_uid, request.name};
    const int attempt = request.attempt;
    impl_->runs[name] = Impl::Run{attempt, behaviour.stop_code, impl_->clock.now()};
    impl_->started.push_back(std::move(request));
    if (behaviour.runs) {
        impl_->tasks.spawn(
            "paper container",
            impl_->end_later(name, attempt, impl_->clock.now() + *behaviour.runs, behaviour.code));
    }
    co_return Result<void>{};
}

asio::awaitable<Result<void>> PaperRuntime::stop_container(std::string pod_uid, std::string name,
                                                           Duration) {
    const Impl::Name key{pod_uid, name};
    const auto run = impl_->runs.find(key);
    if (run == impl_->runs.end()) co_return Error{Reason::not_found, "no such container"};
    impl_->end(key, run->second.attempt, run->second.stop_code);
    co_return Result<void>{};
}

asio::awaitable<Result<ExecResult>> PaperRuntime::exec(ExecRequest request) {
    co_return impl_->execute(request);
}

asio::awaitable<Result<int>> PaperRuntime::probe(ProbeRequest request) {
    co_return impl_->answer(request.address, request.port);
}

asio::awaitable<Result<void>> PaperRuntime::remove_pod(std::string pod_uid) {
    impl_->sandboxes.erase(pod_uid);
    std::erase_if(impl_->runs, [&](const auto& run) { return run.first.first == pod_uid; });
    co_return Result<void>{};
}

asio::awaitable<Result<void>> PaperRuntime::set_dns(std::string table) {
    impl_->dns = std::move(table);
    co_return Result<void>{};
}

}  // namespace shed
