#include "fakes/pods/machine.hpp"

#include <algorithm>

namespace shed::pods {

using Activity = PodContainer::Activity;
using Role = PodContainer::Role;
using std::chrono::seconds;

namespace {

// A container always gets so long to end by itself (minimumGracePeriodInSeconds of the kubelet).
constexpr Duration grace_least = seconds(2);

Duration whole_seconds(Duration time) { return std::chrono::duration_cast<seconds>(time); }

bool is_quiet(const PodContainer& container) { return container.activity == Activity::idle; }

// Sidecars end last, in the reverse order of their starts; no longer than the grace lasts.
bool has_turn(const PodState& pod, const PodContainer& container, Time now) {
    const Stopping& stopping = container.stopping;
    if (!stopping.in_turn || container.role != Role::sidecar) return true;
    if (now >= stopping.ready + stopping.grace - stopping.hook_took) return true;
    return std::all_of(&container + 1, pod.containers.data() + pod.containers.size(), is_quiet);
}

}  // namespace

std::optional<Time> next_turn(const PodContainer& container) {
    const Stopping& stopping = container.stopping;
    if (container.activity != Activity::stopping || stopping.sent || stopping.hook_runs)
        return std::nullopt;
    return stopping.ready + stopping.grace - stopping.hook_took;
}

void Machine::stop(PodContainer& container, Duration grace, std::string message) {
    container.activity = Activity::stopping;
    container.stopping = {};
    container.stopping.grace = grace;
    container.stopping.ready = now;
    container.stopping.in_turn = ending(pod) || has_finished(pod);
    tell("Normal", "Killing", std::move(message), container.name);
    if (!container.pre_stop || grace <= Duration{}) return;
    container.stopping.hook_runs = true;
    commands.push_back(pod_command::Hook{container.name, container.restart_count,
                                         HookKind::pre_stop, *container.pre_stop, grace});
}

void Machine::send_due_stops() {
    for (PodContainer& container : pod.containers) {
        Stopping& stopping = container.stopping;
        if (container.activity != Activity::stopping || stopping.sent || stopping.hook_runs)
            continue;
        if (!has_turn(pod, container, now)) continue;
        stopping.sent = true;
        const Duration spent =
            whole_seconds(stopping.hook_took) + whole_seconds(now - stopping.ready);
        commands.push_back(
            pod_command::Stop{container.name, std::max(grace_least, stopping.grace - spent)});
    }
}

// A second deletion may allow less time than the first: what is under way ends sooner.
void Machine::shorten_stops(Duration grace) {
    for (PodContainer& container : pod.containers) {
        Stopping& stopping = container.stopping;
        if (container.activity != Activity::stopping || grace >= stopping.grace) continue;
        stopping = {};
        stopping.grace = grace;
        stopping.ready = now;
        stopping.in_turn = true;
    }
}

void Machine::on(const pod_event::HookEnded& event) {
    PodContainer* container = pod.find(event.container);
    if (container == nullptr || event.attempt != container->restart_count) return;
    if (event.kind == HookKind::post_start && container->activity == Activity::post_start)
        return post_start_ended(*container, event);
    const bool awaited = container->activity == Activity::stopping && container->stopping.hook_runs;
    if (event.kind == HookKind::pre_stop && awaited) pre_stop_ended(*container, event);
}

// Events do not say why a hook failed: its output may hold secrets.
void Machine::post_start_ended(PodContainer& container, const pod_event::HookEnded& event) {
    if (event.ok) return run_began(container);
    tell("Warning", "FailedPostStartHook", "PostStartHook failed", container.name);
    set_waiting(container, "PostStartHookError", event.message);
    stop(container, pod.grace, "FailedPostStartHook");
}

void Machine::pre_stop_ended(PodContainer& container, const pod_event::HookEnded& event) {
    if (!event.ok) tell("Warning", "FailedPreStopHook", "PreStopHook failed", container.name);
    container.stopping.hook_runs = false;
    container.stopping.hook_took = event.took;
    container.stopping.ready = now;
}

}  // namespace shed::pods
