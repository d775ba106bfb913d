// A pod whose kubelet begins again: what its status says it was doing.
#include "fakes/pods/pods.hpp"

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using Activity = PodContainer::Activity;
using Role = PodContainer::Role;
using Kind = ContainerState::Kind;

Time time_at(const Json& object, std::string_view name) {
    return parse_time(string_at(object, name)).value_or(Time{});
}

ContainerState state_of(const Json& shown) {
    ContainerState state;
    if (const Json& running = member(shown, "running"); running.is_object()) {
        state.kind = Kind::running;
        state.started = time_at(running, "startedAt");
    } else if (const Json& ended = member(shown, "terminated"); ended.is_object()) {
        state.kind = Kind::terminated;
        state.reason = string_at(ended, "reason");
        state.message = string_at(ended, "message");
        state.exit_code = static_cast<int>(int_at(ended, "exitCode"));
        state.started = time_at(ended, "startedAt");
        state.finished = time_at(ended, "finishedAt");
        state.container_id = string_at(ended, "containerID");
    }
    return state;
}

// True when it was running.
bool read_status(const Json& status, PodContainer& container) {
    ContainerState now = state_of(member(status, "state"));
    const ContainerState last = state_of(member(status, "lastState"));
    container.restart_count = static_cast<int>(int_at(status, "restartCount"));
    container.container_id = string_at(status, "containerID");
    container.image_id = string_at(status, "imageID");
    if (last.kind == Kind::terminated) container.last_state = last;
    container.started_once = now.kind != Kind::waiting || container.last_state.has_value();
    now.attempt = container.restart_count;
    // The volumes that an init container filled have gone, so it has to run again.
    const bool init = container.role == Role::init;
    if (init && now.kind == Kind::terminated) container.last_state = now;
    else if (now.kind != Kind::waiting) container.state = now;
    if (now.kind != Kind::running) return false;
    container.run_began = now.started;
    container.activity = Activity::running;
    return true;
}

void read_conditions(const Json& conditions, PodState& state) {
    for (const char* type :
         {"PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady"}) {
        PodCondition condition{type};
        for (const Json& shown : conditions) {
            if (string_at(shown, "type") != type) continue;
            condition.status = string_at(shown, "status") == "True";
            condition.changed = time_at(shown, "lastTransitionTime");
        }
        state.conditions.push_back(std::move(condition));
    }
}

}  // namespace

Result<PodState> resumed_state(const Object& pod, Time now, PodTiming timing) {
    auto first = first_state(pod, now, timing);
    const Json& status = member(pod.dom(), "status");
    const std::string start = string_at(status, "startTime");
    if (!first || start.empty()) return first;  // no kubelet has seen it
    PodState& state = *first;
    state.start_time = parse_time(start).value_or(now);
    state.ip = string_at(status, "podIP");
    state.deleting = pod.deleting();
    if (state.deleting)
        state.grace =
            std::chrono::seconds(int_at(pod.dom(), "metadata.deletionGracePeriodSeconds"));
    bool ran = false;
    for (const char* list : {"initContainerStatuses", "containerStatuses"}) {
        for (const Json& shown : member(status, list)) {
            PodContainer* container = state.find(string_at(shown, "name"));
            if (container != nullptr && read_status(shown, *container)) ran = true;
        }
    }
    if (const Json& conditions = member(status, "conditions"); conditions.is_array())
        read_conditions(conditions, state);
    state.phase = string_at(status, "phase", "Pending");
    if (ran) state.stage = PodState::Stage::prepared;
    return first;
}

}  // namespace shed
