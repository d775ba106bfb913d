// exec, attach and port-forward as a kubelet serves them: to the pods of this machine, in its words.
#include "fakes/kubelet/host.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

namespace shed {

namespace asio = boost::asio;

namespace {

// Replaces what the container says: of two values a program would see the first.
void set_variable(Spec& spec, const std::string& name, const std::string& value) {
    std::erase_if(spec, [&](const SpecRecord& record) {
        return record.size() == 2 && record[0] == "env" && record[1].starts_with(name + "=");
    });
    SpecRecord record(1, "env");
    record.push_back(name + "=" + value);
    spec.push_back(std::move(record));
}

Error not_running(const std::string& container) {
    return {Reason::internal, "container not found (\"" + container + "\")"};
}

// Unlike containerd: what a container prints is taken from its log, so that a slow client holds up
// nobody; it comes line by line.
class AttachedContainer final : public RemoteCommand {
public:
    AttachedContainer(const asio::any_io_executor& executor, const std::string& directory,
                      LogQuery query, CommandStreams wanted)
        : ended_(executor, asio::steady_timer::time_point::max()) {
        query.follow = true;
        query.tail_lines = 0;  // from now on
        const auto reader = [&](const char* stream) {
            query.stream = stream;
            return std::make_shared<LogReader>(executor, directory, query);
        };
        if (wanted.out) out_ = reader("stdout");
        if (wanted.err && !wanted.tty) err_ = reader("stderr");
        left_ = (out_ ? 1 : 0) + (err_ ? 1 : 0);
    }

    asio::awaitable<std::string> read(Output which) override {
        const std::shared_ptr<LogReader> reader = which == Output::out ? out_ : err_;
        auto lines = co_await reader->read();
        if (lines && !lines->empty() && !closed_) co_return std::move(*lines);
        if (--left_ == 0) ended_.cancel();
        co_return std::string();
    }
    asio::awaitable<bool> write(std::string_view) override { co_return false; }
    void end_input() override {}
    void resize(TerminalSize) override {}
    asio::awaitable<Result<int>> exit_code() override {
        while (left_ > 0 && !closed_)
            co_await ended_.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return 0;
    }
    void close() override {
        closed_ = true;
        ended_.cancel();
    }

private:
    std::shared_ptr<LogReader> out_, err_;
    int left_ = 0;
    bool closed_ = false;
    asio::steady_timer ended_;
};

int restart_count(const Object& pod, const std::string& container) {
    for (const char* path : {"status.containerStatuses", "status.initContainerStatuses"}) {
        const Json& list = at_path(pod.dom(), path);
        if (!list.is_array()) continue;
        for (const Json& status : list)
            if (string_at(status, "name") == container)
                return static_cast<int>(int_at(status, "restartCount"));
    }
    return 0;
}

}  // namespace

const Spec* KubeletHost::Impl::exec_spec(const std::string& uid, const std::string& container) const {
    const auto listener = listeners.find(uid);
    return listener == listeners.end() ? nullptr : listener->second.exec_spec(container);
}

Result<StartCommand> KubeletHost::exec(const std::string& pod_uid, const std::string& container,
                                       const std::vector<std::string>& command,
                                       CommandStreams wanted) {
    const Spec* known = impl_->exec_spec(pod_uid, container);
    if (known == nullptr) return not_running(container);
    ExecRequest request;
    request.pod_uid = pod_uid;
    request.container = container;
    request.spec = *known;
    if (wanted.tty) set_variable(request.spec, "TERM", "xterm");
    for (const std::string& word : command) {
        SpecRecord record(1, "arg");
        record.push_back(word);
        request.spec.push_back(std::move(record));
    }
    Runtime& runtime = impl_->deps.runtime;
    const auto start = [&runtime, request,
                        wanted]() -> asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> {
        auto started = co_await runtime.exec_stream(request, wanted);
        if (started) co_return *started;
        co_return Error{started.error().reason,
                        "failed to exec in container: failed to start exec: OCI runtime exec "
                        "failed: exec failed: unable to start container process: " +
                            started.error().message + ": unknown"};
    };
    return StartCommand(start);
}

Result<StartCommand> KubeletHost::attach(const Object& pod, const std::string& container,
                                         CommandStreams wanted) {
    if (impl_->exec_spec(pod.uid(), container) == nullptr) return not_running(container);
    LogQuery query;
    query.pod_uid = pod.uid();
    query.container = container;
    query.attempt = restart_count(pod, container);
    const KubeletHost::Impl* host = impl_.get();
    const auto start = [host, query,
                        wanted]() -> asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> {
        co_return std::make_shared<AttachedContainer>(host->deps.executor, host->deps.directory,
                                                      query, wanted);
    };
    return StartCommand(start);
}

DialPod KubeletHost::dial(const std::string& pod_uid) {
    Runtime& runtime = impl_->deps.runtime;
    return [&runtime, pod_uid](int port) -> asio::awaitable<Result<PodSocket>> {
        return runtime.dial(pod_uid, port);
    };
}

}  // namespace shed
