// exec, attach and port-forward as a kubelet serves them: to the pods of this machine, in its
// words.
#include "fakes/kubelet/attach.hpp"

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

const Json& container_of(const Object& pod, const std::string& name) {
    static const Json none;
    for (const char* path : {"spec.containers", "spec.initContainers"}) {
        const Json& list = at_path(pod.dom(), path);
        if (!list.is_array()) continue;
        for (const Json& container : list)
            if (string_at(container, "name") == name) return container;
    }
    return none;
}

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

const Spec* KubeletHost::Impl::exec_spec(const std::string& uid,
                                         const std::string& container) const {
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
    const Json& spec = container_of(pod, container);
    kubelet::AttachRequest request;
    request.log.pod_uid = pod.uid();
    request.log.container = container;
    request.log.attempt = restart_count(pod, container);
    request.wanted = wanted;
    request.wanted.in = wanted.in && bool_at(spec, "stdin");
    request.terminal = bool_at(spec, "tty");
    request.input_once = bool_at(spec, "stdinOnce");
    KubeletHost::Impl* host = impl_.get();
    const auto start = [host,
                        request]() -> asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> {
        return kubelet::attach(*host, request);
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
