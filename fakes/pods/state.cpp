#include "fakes/pods/pods.hpp"

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using std::chrono::seconds;

RestartPolicy restart_policy_of(std::string_view text) {
    if (text == "Never") return RestartPolicy::never;
    if (text == "OnFailure") return RestartPolicy::on_failure;
    return RestartPolicy::always;
}

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : std::string{};
}

int port_of(const Json& port, const Json& container) {
    if (port.is_number_integer()) return port.get<int>();
    const std::string name = text_of(port);
    for (const Json& known : member(container, "ports")) {
        if (string_at(known, "name") == name)
            return static_cast<int>(int_at(known, "containerPort"));
    }
    return std::atoi(name.c_str());
}

void read_http(const Json& get, const Json& container, Handler& handler) {
    handler.method = Handler::Method::http;
    handler.port = port_of(member(get, "port"), container);
    handler.host = string_at(get, "host");
    handler.path = string_at(get, "path", "/");
    if (handler.path.empty() || handler.path.front() != '/') handler.path.insert(0, "/");
    handler.scheme = string_at(get, "scheme", "HTTP");
    for (const Json& header : member(get, "httpHeaders"))
        handler.headers.emplace_back(string_at(header, "name"), string_at(header, "value"));
}

// False when `json` names no handler.
bool read_handler(const Json& json, const Json& container, Handler& handler) {
    if (const Json& http = member(json, "httpGet"); http.is_object()) {
        read_http(http, container, handler);
    } else if (const Json& exec = member(json, "exec"); exec.is_object()) {
        handler.method = Handler::Method::exec;
        for (const Json& word : member(exec, "command")) handler.command.push_back(text_of(word));
    } else if (const Json& tcp = member(json, "tcpSocket"); tcp.is_object()) {
        handler.port = port_of(member(tcp, "port"), container);
        handler.host = string_at(tcp, "host");
    } else if (const Json& grpc = member(json, "grpc"); grpc.is_object()) {
        handler.method = Handler::Method::grpc;
        handler.port = static_cast<int>(int_at(grpc, "port"));
        handler.service = string_at(grpc, "service");
    } else if (const Json& sleep = member(json, "sleep"); sleep.is_object()) {
        handler.method = Handler::Method::sleep;
        handler.pause = seconds(int_at(sleep, "seconds"));
    } else {
        return false;
    }
    return true;
}

Result<std::optional<ProbeSpec>> probe_of(const Json& container, std::string_view which) {
    const Json& probe = member(container, which);
    if (!probe.is_object()) return std::optional<ProbeSpec>{};
    ProbeSpec spec;
    spec.initial_delay = seconds(int_at(probe, "initialDelaySeconds"));
    spec.period = seconds(std::max<std::int64_t>(1, int_at(probe, "periodSeconds", 10)));
    spec.timeout = seconds(std::max<std::int64_t>(1, int_at(probe, "timeoutSeconds", 1)));
    spec.success_threshold = static_cast<int>(int_at(probe, "successThreshold", 1));
    spec.failure_threshold = static_cast<int>(int_at(probe, "failureThreshold", 3));
    if (const std::int64_t grace = int_at(probe, "terminationGracePeriodSeconds"); grace > 0)
        spec.grace = seconds(grace);
    if (!read_handler(probe, container, spec))
        return Error{Reason::invalid, "container \"" + string_at(container, "name") +
                                          "\": " + std::string(which) + " has no handler"};
    return std::optional<ProbeSpec>{std::move(spec)};
}

std::optional<Handler> hook_of(const Json& container, std::string_view which) {
    Handler handler;
    const bool known =
        read_handler(member(member(container, "lifecycle"), which), container, handler);
    return known ? std::optional<Handler>(std::move(handler)) : std::nullopt;
}

// A container's own policy wins. A failed init container is tried again unless the pod's is Never.
RestartPolicy restart_of(const Json& container, bool init, RestartPolicy pod_policy) {
    const std::string own = string_at(container, "restartPolicy");
    if (!own.empty()) return restart_policy_of(own);
    return init && pod_policy == RestartPolicy::always ? RestartPolicy::on_failure : pod_policy;
}

std::vector<RestartRule> rules_of(const Json& container) {
    std::vector<RestartRule> rules;
    for (const Json& rule : member(container, "restartPolicyRules")) {
        const Json& codes = member(rule, "exitCodes");
        if (string_at(rule, "action") != "Restart" || !codes.is_object()) continue;
        RestartRule& made = rules.emplace_back();
        made.in = string_at(codes, "operator") == "In";
        for (const Json& code : member(codes, "values"))
            if (code.is_number_integer()) made.codes.push_back(code.get<int>());
    }
    return rules;
}

Result<PodContainer> container_of(const Json& spec, bool init, RestartPolicy pod_policy) {
    PodContainer container;
    container.name = string_at(spec, "name");
    container.image = string_at(spec, "image");
    container.pull_policy = string_at(spec, "imagePullPolicy", "IfNotPresent");
    container.restart = restart_of(spec, init, pod_policy);
    container.rules = rules_of(spec);
    if (init) {
        const bool sidecar = string_at(spec, "restartPolicy") == "Always";
        container.role = sidecar ? PodContainer::Role::sidecar : PodContainer::Role::init;
    }
    constexpr std::string_view names[] = {"startupProbe", "livenessProbe", "readinessProbe"};
    for (std::size_t kind = 0; kind < container.probes.size(); ++kind) {
        auto probe = probe_of(spec, names[kind]);
        if (!probe) return probe.error();
        container.probes[kind] = std::move(*probe);
    }
    container.post_start = hook_of(spec, "postStart");
    container.pre_stop = hook_of(spec, "preStop");
    return container;
}

}  // namespace

std::string_view probe_name(ProbeKind kind) {
    constexpr std::string_view names[] = {"Startup", "Liveness", "Readiness"};
    return names[static_cast<std::size_t>(kind)];
}

PodContainer* PodState::find(std::string_view container) {
    for (PodContainer& candidate : containers) {
        if (candidate.name == container) return &candidate;
    }
    return nullptr;
}

const PodContainer* PodState::find(std::string_view container) const {
    return const_cast<PodState*>(this)->find(container);
}

Result<PodState> first_state(const Object& pod, Time now, PodTiming timing) {
    const Json& dom = pod.dom();
    const Json& spec = member(dom, "spec");
    PodState state;
    state.ns = pod.ns();
    state.name = pod.name();
    state.uid = pod.uid();
    state.generation = pod.generation();
    state.restart = restart_policy_of(string_at(spec, "restartPolicy", "Always"));
    state.grace = seconds(int_at(spec, "terminationGracePeriodSeconds", 30));
    if (const std::int64_t deadline = int_at(spec, "activeDeadlineSeconds"); deadline > 0) {
        state.active_deadline = seconds(deadline);
    }
    state.timing = timing;
    state.start_time = now;
    for (const bool init : {true, false}) {
        for (const Json& container : member(spec, init ? "initContainers" : "containers")) {
            auto made = container_of(container, init, state.restart);
            if (!made) return made.error();
            state.containers.push_back(std::move(*made));
        }
    }
    return state;
}

}  // namespace shed
