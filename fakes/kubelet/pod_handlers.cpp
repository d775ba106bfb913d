// What probes and lifecycle hooks do to a container, and how their ends are told.
#include "fakes/kubelet/pod_worker.hpp"
#include "fakes/base/text.hpp"
#include "fakes/net/grpc_health.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {

namespace asio = boost::asio;

namespace {

constexpr int default_http_port = 80;
constexpr Duration http_hook_limit = std::chrono::seconds(30);

bool is_https(const Handler& handler) { return handler.scheme == "HTTPS"; }

int port_of(const Handler& handler) {
    const bool unset = handler.port == 0 && handler.method == Handler::Method::http;
    return unset ? default_http_port : handler.port;
}

std::string url_of(const Handler& handler, const std::string& host) {
    return std::string(is_https(handler) ? "https://" : "http://") + host + ":" +
           std::to_string(port_of(handler)) + handler.path;
}

std::string http_request(const Handler& handler, const std::string& host) {
    std::string text = "GET " + handler.path + " HTTP/1.1\r\n";
    bool has_host = false, has_agent = false;
    for (const auto& [name, value] : handler.headers) {
        text += name + ": " + value + "\r\n";
        has_host = has_host || name == "Host";
        has_agent = has_agent || name == "User-Agent";
    }
    if (!has_host) text += "Host: " + host + ":" + std::to_string(port_of(handler)) + "\r\n";
    if (!has_agent) text += "User-Agent: kube-probe/1.36\r\n";
    return text + "Accept: */*\r\nConnection: close\r\n\r\n";
}

ProbeRequest probe_request(const Handler& handler, const std::string& host, Duration timeout) {
    ProbeRequest request;
    request.address = host;
    request.port = port_of(handler);
    request.timeout = timeout;
    if (handler.method == Handler::Method::http) {
        request.kind = is_https(handler) ? ProbeRequest::Kind::https : ProbeRequest::Kind::http;
        request.text = http_request(handler, host);
    } else if (handler.method == Handler::Method::grpc) {
        request.kind = ProbeRequest::Kind::grpc;
        request.text = handler.service;
    }
    return request;
}

std::string seconds_text(Duration time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + "s";
}

// Whether what a server answered lets the probe pass, and what is said of it.
void judge(const ProbeSpec& spec, const std::string& host, const Result<int>& answer,
           pod_event::Probed& result) {
    const bool http = spec.method == Handler::Method::http;
    if (!answer) {
        result.output = http ? "Get \"" + url_of(spec, host) + "\": " + answer.error().message
                             : answer.error().message;
        return;
    }
    if (http) {
        result.ok = *answer >= 200 && *answer < 400;
        if (!result.ok)
            result.output = "HTTP probe failed with statuscode: " + std::to_string(*answer);
    } else if (spec.method == Handler::Method::grpc) {
        result.ok = *answer == static_cast<int>(ServingStatus::serving);
        if (!result.ok)
            result.output = "service unhealthy (responded with \"" +
                            std::string(serving_status_name(*answer)) + "\")";
    } else {
        result.ok = true;
    }
}

}  // namespace

PodWorker::Task PodWorker::probe(Self self, pod_command::Probe command) {
    pod_event::Probed result = co_await self->probe_steps(std::move(command));
    self->handle(std::move(result));
}

asio::awaitable<Result<ExecResult>> PodWorker::run_in(std::string container,
                                                      std::vector<std::string> command,
                                                      Duration timeout) {
    ExecRequest request;
    request.pod_uid = pod_->uid();
    request.container = container;
    request.spec = exec_specs_[container];
    for (const std::string& word : command)
        request.spec.push_back(SpecRecord(std::initializer_list<std::string>{"arg", word}));
    request.timeout = timeout;
    auto done = co_await node_->host.deps.runtime.exec(std::move(request));
    if (!done && done.error().reason == Reason::timeout)
        co_return Error{Reason::timeout, "command timed out: \"" + joined(command, " ") +
                                             "\" timed out after " + seconds_text(timeout)};
    co_return done;
}

asio::awaitable<pod_event::Probed> PodWorker::probe_steps(pod_command::Probe command) {
    const ProbeSpec& spec = command.spec;
    pod_event::Probed result;
    result.container = command.container;
    result.attempt = command.attempt;
    result.kind = command.kind;
    if (spec.method == Handler::Method::exec) {
        const auto done = co_await run_in(command.container, spec.command, spec.timeout);
        result.ok = done && done->code == 0;
        result.output = done ? done->output : done.error().message;
        co_return result;
    }
    const std::string host = spec.host.empty() ? ip_ : spec.host;
    ProbeRequest request = probe_request(spec, host, spec.timeout);
    const auto answer = co_await node_->host.deps.runtime.probe(std::move(request));
    judge(spec, host, answer, result);
    co_return result;
}

PodWorker::Task PodWorker::hook(Self self, pod_command::Hook command) {
    const auto began = std::chrono::steady_clock::now();
    pod_event::HookEnded ended;
    ended.container = command.container;
    ended.attempt = command.attempt;
    ended.kind = command.kind;
    ended.message = co_await self->hook_steps(std::move(command));
    ended.ok = ended.message.empty();
    // Hooks are processes: they take real time, also where the cluster's own runs faster.
    ended.took = std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now() - began);
    self->handle(std::move(ended));
}

// "" or why it failed, as the kubelet's HandlerRunner says it.
asio::awaitable<std::string> PodWorker::hook_steps(pod_command::Hook command) {
    const Handler& handler = command.handler;
    std::string what, error, output;
    if (handler.method == Handler::Method::exec) {
        what = "Exec lifecycle hook ([" + joined(handler.command, " ") + "])";
        const Duration limit = command.limit.value_or(Duration{});  // none: for ever
        const auto done = co_await run_in(command.container, handler.command, limit);
        if (!done) error = done.error().message;
        else if (done->code != 0)
            error = "command '" + joined(handler.command, " ") + "' exited with " +
                    std::to_string(done->code) + ": " + done->output;
        if (done) output = done->output;
    } else if (handler.method == Handler::Method::http) {
        // Any answer will do: the code is not looked at.
        what = "HTTP lifecycle hook (" + handler.path + ")";
        const std::string host = handler.host.empty() ? ip_ : handler.host;
        ProbeRequest request =
            probe_request(handler, host, command.limit.value_or(http_hook_limit));
        const auto answer = co_await node_->host.deps.runtime.probe(std::move(request));
        if (!answer) error = "Get \"" + url_of(handler, host) + "\": " + answer.error().message;
    } else if (handler.method == Handler::Method::sleep) {
        const Duration pause = std::min(handler.pause, command.limit.value_or(handler.pause));
        Clock& clock = node_->host.deps.clock;
        co_await clock.sleep_until(clock.now() + pause);
    } else {
        // The API takes a tcpSocket hook; kubelets have no way to run one.
        co_return "Cannot run handler: invalid handler: tcpSocket";
    }
    if (error.empty()) co_return std::string();
    co_return what + " for Container \"" + command.container + "\" in Pod \"" + pod_->name() + "_" +
        pod_->ns() + "(" + pod_->uid() + ")\" failed - error: " + error + ", message: \"" + output +
        "\"";
}

}  // namespace shed::kubelet
