// The pod's row, and its STATUS in particular, follow printPod of pkg/printers/internalversion branch by branch: people
// read this column as the pod's state.
#include "fakes/api/table.hpp"

namespace shed {

namespace {

struct Summary {
    std::string reason;
    std::int64_t restarts = 0;
    int ready = 0;
    std::size_t total = 0;
    std::optional<Time> last_restart;

    void note_restart(const Json& status) {
        restarts += int_at(status, "restartCount");
        const auto finished = parse_time(string_at(status, "lastState.terminated.finishedAt"));
        if (finished && (!last_restart || *last_restart < *finished)) last_restart = finished;
    }
};

const Json& init_container(const Json& pod, const std::string& name) {
    static const Json none;
    const Json& containers = at_path(pod, "spec.initContainers");
    if (!containers.is_array()) return none;
    for (const Json& c : containers)
        if (string_at(c, "name") == name) return c;
    return none;
}

bool is_sidecar(const Json& container) { return string_at(container, "restartPolicy") == "Always"; }

std::size_t count_of(const Json& array) { return array.is_array() ? array.size() : 0; }

std::string ended_text(const Json& terminated, const std::string& prefix) {
    const std::string reason = string_at(terminated, "reason");
    if (!reason.empty()) return prefix + reason;
    const std::int64_t signal = int_at(terminated, "signal");
    if (signal != 0) return prefix + "Signal:" + std::to_string(signal);
    return prefix + "ExitCode:" + std::to_string(int_at(terminated, "exitCode"));
}

// Looks at init containers up to the first that is not done. True while initialization goes on.
bool summarize_init(const Json& pod, Summary& summary, Summary& sidecars) {
    const Json& statuses = at_path(pod, "status.initContainerStatuses");
    if (!statuses.is_array()) return false;
    int index = -1;
    for (const Json& status : statuses) {
        ++index;
        const bool sidecar = is_sidecar(init_container(pod, string_at(status, "name")));
        summary.note_restart(status);
        if (sidecar) sidecars.note_restart(status);
        const Json& terminated = at_path(status, "state.terminated");
        const std::string waiting = string_at(status, "state.waiting.reason");
        if (terminated.is_object() && int_at(terminated, "exitCode") == 0) continue;
        if (sidecar && bool_at(status, "started")) {
            if (bool_at(status, "ready")) ++summary.ready;
            continue;
        }
        if (terminated.is_object()) summary.reason = ended_text(terminated, "Init:");
        else if (!waiting.empty() && waiting != "PodInitializing") summary.reason = "Init:" + waiting;
        else
            summary.reason = "Init:" + std::to_string(index) + "/" +
                             std::to_string(count_of(at_path(pod, "spec.initContainers")));
        return true;
    }
    return false;
}

void summarize_containers(const Json& pod, Summary& summary) {
    const Json& statuses = at_path(pod, "status.containerStatuses");
    if (!statuses.is_array()) return;
    bool has_running = false;
    for (auto status = statuses.rbegin(); status != statuses.rend(); ++status) {
        summary.note_restart(*status);
        const std::string waiting = string_at(*status, "state.waiting.reason");
        const Json& terminated = at_path(*status, "state.terminated");
        if (!waiting.empty()) summary.reason = waiting;
        else if (terminated.is_object()) summary.reason = ended_text(terminated, "");
        else if (bool_at(*status, "ready") && at_path(*status, "state.running").is_object()) {
            has_running = true;
            ++summary.ready;
        }
    }
    if (summary.reason == "Completed" && has_running)
        summary.reason = condition_true(pod, "Ready") ? "Running" : "NotReady";
}

Summary summarize_pod(const Object& object) {
    const Json& pod = object.dom();
    const std::string phase = string_at(pod, "status.phase");
    Summary summary;
    summary.reason = string_at(pod, "status.reason", phase);
    if (summary.reason.empty()) summary.reason = phase;
    if (string_at(condition_of(pod, "PodScheduled"), "reason") == "SchedulingGated")
        summary.reason = "SchedulingGated";
    summary.total = count_of(at_path(pod, "spec.containers"));
    if (const Json& inits = at_path(pod, "spec.initContainers"); inits.is_array())
        for (const Json& c : inits) summary.total += is_sidecar(c) ? 1 : 0;

    Summary sidecars;
    const bool initializing = summarize_init(pod, summary, sidecars);
    if (!initializing || condition_true(pod, "Initialized")) {
        summary.restarts = sidecars.restarts;
        summary.last_restart = sidecars.last_restart;
        summarize_containers(pod, summary);
    }
    const bool ended = phase == "Succeeded" || phase == "Failed";
    if (object.deleting() && string_at(pod, "status.reason") == "NodeLost") summary.reason = "Unknown";
    else if (object.deleting() && !ended) summary.reason = "Terminating";
    return summary;
}

std::string gates_text(const Json& pod) {
    const Json& gates = at_path(pod, "spec.readinessGates");
    if (count_of(gates) == 0) return "<none>";
    std::size_t met = 0;
    for (const Json& gate : gates)
        met += condition_true(pod, string_at(gate, "conditionType")) ? 1 : 0;
    return std::to_string(met) + "/" + std::to_string(gates.size());
}

Json completed_condition(const std::string& phase) {
    if (phase != "Succeeded" && phase != "Failed") return nullptr;
    const Json condition = {{"type", "Completed"},
                            {"status", "True"},
                            {"reason", phase},
                            {"message", phase == "Succeeded"
                                            ? "The pod has completed successfully."
                                            : "The pod failed."}};
    return Json::array({condition});
}

Row pod_row(const Object& object, Time now) {
    const Json& pod = object.dom();
    const Summary summary = summarize_pod(object);
    std::string restarts = std::to_string(summary.restarts);
    if (summary.restarts != 0 && summary.last_restart)
        restarts += " (" + human_duration(now - *summary.last_restart) + " ago)";
    const Json& ips = at_path(pod, "status.podIPs");
    const std::string ip = count_of(ips) > 0 ? string_at(ips[0], "ip") : std::string();
    return {{object.name(), std::to_string(summary.ready) + "/" + std::to_string(summary.total),
             summary.reason, restarts, age_of(object, now), or_none(ip),
             or_none(string_at(pod, "spec.nodeName")),
             or_none(string_at(pod, "status.nominatedNodeName")), gates_text(pod)},
            completed_condition(string_at(pod, "status.phase"))};
}

}  // namespace

std::optional<Printer> pod_printer(const Kind& kind) {
    if (!kind.group.empty() || kind.plural != "pods") return std::nullopt;
    return Printer{{{"Name", 0, "name"},
                    {"Ready"},
                    {"Status"},
                    {"Restarts"},
                    {"Age"},
                    {"IP", 1},
                    {"Node", 1},
                    {"Nominated Node", 1},
                    {"Readiness Gates", 1}},
                   pod_row};
}

}  // namespace shed
