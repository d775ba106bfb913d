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

void read_http(const Json& get, const Json& container, ProbeSpec& spec) {
    spec.method = ProbeSpec::Method::http;
    spec.port = port_of(member(get, "port"), container);
    spec.host = string_at(get, "host");
    spec.path = string_at(get, "path", "/");
    if (spec.path.empty() || spec.path.front() != '/') spec.path.insert(0, "/");
    spec.scheme = string_at(get, "scheme", "HTTP");
    for (const Json& header : member(get, "httpHeaders")) {
        spec.headers.emplace_back(string_at(header, "name"), string_at(header, "value"));
    }
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
    if (const Json& http = member(probe, "httpGet"); http.is_object()) {
        read_http(http, container, spec);
    } else if (const Json& exec = member(probe, "exec"); exec.is_object()) {
        spec.method = ProbeSpec::Method::exec;
        for (const Json& word : member(exec, "command")) spec.command.push_back(text_of(word));
    } else if (const Json& tcp = member(probe, "tcpSocket"); tcp.is_object()) {
        spec.port = port_of(member(tcp, "port"), container);
        spec.host = string_at(tcp, "host");
    } else {
        return Error{Reason::invalid,
                     "container \"" + string_at(container, "name") + "\": " + std::string(which) +
                         " has no handler that is known here (tcpSocket, httpGet or exec)"};
    }
    return std::optional<ProbeSpec>{std::move(spec)};
}

Result<PodContainer> container_of(const Json& spec, bool init, RestartPolicy pod_policy) {
    PodContainer container;
    container.name = string_at(spec, "name");
    container.image = string_at(spec, "image");
    container.pull_policy = string_at(spec, "imagePullPolicy", "IfNotPresent");
    container.restart = pod_policy;
    if (init) {
        // A failed init container is tried again unless the pod's policy is Never.
        const bool sidecar = string_at(spec, "restartPolicy") == "Always";
        container.role = sidecar ? PodContainer::Role::sidecar : PodContainer::Role::init;
        container.restart = sidecar                              ? RestartPolicy::always
                            : pod_policy == RestartPolicy::never ? RestartPolicy::never
                                                                 : RestartPolicy::on_failure;
    }
    constexpr std::string_view names[] = {"startupProbe", "livenessProbe", "readinessProbe"};
    for (std::size_t kind = 0; kind < container.probes.size(); ++kind) {
        auto probe = probe_of(spec, names[kind]);
        if (!probe) return probe.error();
        container.probes[kind] = std::move(*probe);
    }
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
