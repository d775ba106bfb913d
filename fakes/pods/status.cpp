#include "fakes/pods/pods.hpp"

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using Kind = ContainerState::Kind;

Json state_json(const ContainerState& state) {
    if (state.kind == Kind::running)
        return {{"running", {{"startedAt", format_time(state.started)}}}};
    if (state.kind == Kind::waiting) {
        Json waiting = {{"reason", state.reason}};
        if (!state.message.empty()) waiting["message"] = state.message;
        return {{"waiting", std::move(waiting)}};
    }
    Json ended = {{"exitCode", state.exit_code},
                  {"reason", state.reason},
                  {"startedAt", format_time(state.started)},
                  {"finishedAt", format_time(state.finished)}};
    if (!state.container_id.empty()) ended["containerID"] = state.container_id;
    if (!state.message.empty()) ended["message"] = state.message;
    return {{"terminated", std::move(ended)}};
}

Json mounts_json(const Json& spec) {
    Json mounts = Json::array();
    for (const Json& mount : member(spec, "volumeMounts")) {
        Json shown = {{"name", member(mount, "name")}, {"mountPath", member(mount, "mountPath")}};
        if (bool_at(mount, "readOnly")) {
            shown["readOnly"] = true;
            shown["recursiveReadOnly"] = "Disabled";
        }
        mounts.push_back(std::move(shown));
    }
    return mounts;
}

void add_resources(const Json& spec, Json& shown) {
    const Json& resources = member(spec, "resources");
    shown["resources"] = resources.is_object() ? resources : Json::object();
    if (const Json& requests = member(resources, "requests");
        requests.is_object() && !requests.empty()) {
        shown["allocatedResources"] = requests;
    }
}

// A container that has not run yet waits for the init containers before it, or for its sandbox.
ContainerState shown_state(const PodState& pod, const PodContainer& container) {
    ContainerState state = container.state;
    if (state.kind != Kind::waiting || !state.reason.empty()) return state;
    const bool has_init = pod.containers.front().role != PodContainer::Role::app;
    state.reason = has_init && !pod.terminal() ? "PodInitializing" : "ContainerCreating";
    return state;
}

Json container_json(const PodState& pod, const PodContainer& container, const Json& spec) {
    const ContainerState state = shown_state(pod, container);
    Json shown = {
        {"name", container.name},
        {"state", state_json(state)},
        {"lastState", container.last_state ? state_json(*container.last_state) : Json::object()},
        {"ready", container.ready || (container.role == PodContainer::Role::init &&
                                      container.finished() && container.state.exit_code == 0)},
        {"restartCount", container.restart_count},
        {"image", container.image},
        {"imageID", container.image_id},
        {"started", container.started}};
    if (!container.container_id.empty()) shown["containerID"] = container.container_id;
    if (state.kind == Kind::running) add_resources(spec, shown);
    if (Json mounts = mounts_json(spec); !mounts.empty()) shown["volumeMounts"] = std::move(mounts);
    return shown;
}

const Json& spec_of(const Json& pod, const PodContainer& container) {
    const bool app = container.role == PodContainer::Role::app;
    for (const Json& spec : at_path(pod, app ? "spec.containers" : "spec.initContainers")) {
        if (string_at(spec, "name") == container.name) return spec;
    }
    return member(pod, "");
}

Json conditions_json(const PodState& state) {
    Json conditions = Json::array();
    for (const PodCondition& condition : state.conditions) {
        Json shown = {{"type", condition.type},
                      {"status", condition.status ? "True" : "False"},
                      {"observedGeneration", state.generation},
                      {"lastProbeTime", nullptr},
                      {"lastTransitionTime", format_time(condition.changed)}};
        if (!condition.reason.empty()) shown["reason"] = condition.reason;
        if (!condition.message.empty()) shown["message"] = condition.message;
        conditions.push_back(std::move(shown));
    }
    return conditions;
}

}  // namespace

Json pod_status(const PodState& state, const Json& pod, std::string_view host_ip) {
    Json status = {{"observedGeneration", state.generation},
                   {"phase", state.phase},
                   {"conditions", conditions_json(state)},
                   {"hostIP", host_ip},
                   {"startTime", format_time(state.start_time)}};
    status["hostIPs"] = Json::array({Json{{"ip", host_ip}}});
    if (!state.ip.empty()) {
        status["podIP"] = state.ip;
        status["podIPs"] = Json::array({Json{{"ip", state.ip}}});
    }
    if (!state.reason.empty()) status["reason"] = state.reason;
    if (!state.message.empty()) status["message"] = state.message;
    Json apps = Json::array(), inits = Json::array();
    for (const PodContainer& container : state.containers) {
        const bool app = container.role == PodContainer::Role::app;
        (app ? apps : inits).push_back(container_json(state, container, spec_of(pod, container)));
    }
    status["containerStatuses"] = std::move(apps);
    if (!inits.empty()) status["initContainerStatuses"] = std::move(inits);
    return status;
}

}  // namespace shed
