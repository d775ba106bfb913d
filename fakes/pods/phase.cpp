#include "fakes/pods/machine.hpp"

namespace shed::pods {

using Kind = ContainerState::Kind;
using Role = PodContainer::Role;

namespace {

// The run that counts for the phase: the present one, or the last one of a container that waits to
// run again.
const ContainerState* last_end(const PodContainer& container) {
    if (container.state.kind == Kind::terminated) return &container.state;
    if (container.state.kind == Kind::waiting && container.last_state)
        return &*container.last_state;
    return nullptr;
}

bool initialized(const PodState& pod) {
    for (const PodContainer& container : pod.containers) {
        if (container.role == Role::init &&
            !(container.finished() && container.state.exit_code == 0))
            return false;
        if (container.role == Role::sidecar && !container.started && !container.started_once)
            return false;
    }
    return true;
}

bool init_failed(const PodState& pod) {
    for (const PodContainer& container : pod.containers) {
        if (container.role == Role::init && container.finished() && !will_restart(container) &&
            container.state.exit_code != 0) {
            return true;
        }
    }
    return false;
}

std::string phase_of(const PodState& pod) {
    if (pod.evicted || init_failed(pod)) return "Failed";
    if (!initialized(pod)) return "Pending";
    int running = 0, waiting = 0, stopped = 0, succeeded = 0;
    for (const PodContainer& container : pod.containers) {
        if (container.role == Role::sidecar && container.state.kind == Kind::running) ++running;
        if (container.role != Role::app) continue;
        if (container.state.kind == Kind::running) {
            ++running;
        } else if (const ContainerState* end = last_end(container)) {
            ++stopped;
            if (end->exit_code == 0) ++succeeded;
        } else {
            ++waiting;
        }
    }
    if (waiting > 0) return "Pending";
    if (running > 0) return "Running";
    if (!ending(pod) && !has_finished(pod)) return "Running";
    return stopped == succeeded ? "Succeeded" : "Failed";
}

std::string names_where(const PodState& pod, bool (*wanted)(const PodContainer&)) {
    std::string names;
    for (const PodContainer& container : pod.containers) {
        if (!wanted(container)) continue;
        if (!names.empty()) names += ' ';
        names += container.name;
    }
    return "[" + names + "]";
}

bool is_unready(const PodContainer& container) {
    return container.role != Role::init && !container.ready;
}
bool is_unready_app(const PodContainer& container) {
    return container.role == Role::app && !container.ready;
}
bool is_incomplete(const PodContainer& container) {
    if (container.role == Role::sidecar) return !container.started && !container.started_once;
    return container.role == Role::init &&
           !(container.finished() && container.state.exit_code == 0);
}

PodCondition readiness(const PodState& pod, std::string type) {
    PodCondition condition{std::move(type)};
    if (pod.terminal()) {
        condition.reason = pod.phase == "Succeeded" ? "PodCompleted" : "PodFailed";
        return condition;
    }
    const std::string unready = names_where(pod, initialized(pod) ? is_unready : is_unready_app);
    condition.status = unready == "[]";
    if (condition.status) return condition;
    condition.reason = "ContainersNotReady";
    condition.message = "containers with unready status: " + unready;
    return condition;
}

PodCondition initialization(const PodState& pod) {
    PodCondition condition{"Initialized"};
    condition.status = initialized(pod);
    if (!condition.status) {
        condition.reason = "ContainersNotInitialized";
        condition.message = "containers with incomplete status: " + names_where(pod, is_incomplete);
    } else if (pod.phase == "Succeeded") {
        condition.reason = "PodCompleted";
    }
    return condition;
}

}  // namespace

void update_phase(PodState& pod, Time now) {
    if (!pod.terminal()) pod.phase = phase_of(pod);
    PodCondition sandbox{"PodReadyToStartContainers"};
    sandbox.status = pod.stage == PodState::Stage::prepared;
    std::vector<PodCondition> conditions{std::move(sandbox), initialization(pod),
                                         readiness(pod, "Ready"),
                                         readiness(pod, "ContainersReady")};
    for (std::size_t i = 0; i < conditions.size(); ++i) {
        const bool kept =
            i < pod.conditions.size() && pod.conditions[i].status == conditions[i].status;
        conditions[i].changed = kept ? pod.conditions[i].changed : now;
    }
    pod.conditions = std::move(conditions);
}

}  // namespace shed::pods
