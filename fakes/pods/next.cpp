#include "fakes/pods/machine.hpp"

#include <algorithm>

namespace shed {

using namespace pods;
using std::chrono::milliseconds;
using std::chrono::seconds;

PodStep next(PodState state, const PodEvent& event, Time now) {
    PodStep step{std::move(state), {}, {}};
    Machine machine{step.state, step.commands, now};
    std::visit([&](const auto& happened) { machine.on(happened); }, event);
    machine.advance();
    machine.send_due_stops();
    update_phase(step.state, now);
    step.look_again_at = next_look(step.state, now);
    return step;
}

namespace pods {

bool ending(const PodState& pod) { return pod.deleting || pod.evicted; }

bool has_finished(const PodState& pod) {
    bool apps_done = true;
    for (const PodContainer& container : pod.containers) {
        if (container.role == PodContainer::Role::sidecar) continue;
        const bool done = container.finished() && !will_restart(container);
        if (container.role == PodContainer::Role::app) {
            apps_done = apps_done && done;
        } else if (done && container.state.exit_code != 0) {
            return true;
        }
    }
    return apps_done;
}

void Machine::tell(std::string type, std::string reason, std::string message,
                   std::string container) {
    commands.push_back(pod_command::Tell{std::move(type), std::move(reason), std::move(message),
                                         std::move(container)});
}

void Machine::on(const pod_event::Changed& event) {
    pod.generation = event.generation;
    if (event.grace) pod.grace = *event.grace;
    if (event.deleting) pod.deleting = true;
    if (event.deleting && event.grace) shorten_stops(*event.grace);
}

void Machine::on(const pod_event::SandboxReady& event) {
    if (pod.stage != PodState::Stage::preparing) return;
    pod.stage = PodState::Stage::prepared;
    pod.ip = event.ip;
    pod.prepare_back_off = {};
}

void Machine::on(const pod_event::SandboxFailed& event) {
    if (pod.stage != PodState::Stage::preparing) return;
    // The volume manager's back-off: 500 ms, doubling to two minutes.
    constexpr Duration least = milliseconds(500), most = seconds(122);
    pod.prepare_back_off = std::clamp(pod.prepare_back_off * 2, least, most);
    pod.prepare_after = now + pod.prepare_back_off;
    pod.stage = PodState::Stage::unprepared;
    tell("Warning", event.reason, event.message);
}

void Machine::on(const pod_event::SandboxRemoved&) { pod.stage = PodState::Stage::removed; }

void Machine::on(const pod_event::SandboxLost& event) {
    if (pod.stage != PodState::Stage::prepared) return;
    for (PodContainer& container : pod.containers) {
        if (container.activity == PodContainer::Activity::idle) continue;
        ContainerState last;
        last.kind = ContainerState::Kind::terminated;
        last.container_id = container.container_id;
        last.reason = event.reason;
        last.message = event.message;
        last.exit_code = event.exit_code;
        last.started = container.run_began;
        last.finished = now;
        last.attempt = container.restart_count;
        exited(container, std::move(last));
    }
    if (ending(pod) || has_finished(pod)) return;
    pod.stage = PodState::Stage::unprepared;
    tell("Normal", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
}

void Machine::on(const pod_event::Evicted& event) {
    constexpr Duration grace = seconds(1);  // what the real eviction manager leaves for such pods
    if (ending(pod) || has_finished(pod)) return;
    pod.evicted = true;
    pod.reason = "Evicted";
    pod.message = event.message;
    pod.grace = std::min(pod.grace, grace);
    tell("Warning", pod.reason, pod.message);
}

void Machine::advance() {
    if (!ending(pod) && pod.active_deadline && !has_finished(pod) &&
        now >= pod.start_time + *pod.active_deadline) {
        pod.evicted = true;
        pod.reason = "DeadlineExceeded";
        pod.message = "Pod was active on the node longer than the specified deadline";
        tell("Normal", pod.reason, pod.message);
    }
    if (ending(pod) || has_finished(pod)) return end_pod();
    if (pod.stage == PodState::Stage::unprepared && now >= pod.prepare_after) {
        pod.stage = PodState::Stage::preparing;
        commands.push_back(pod_command::Prepare{});
    }
    if (pod.stage != PodState::Stage::prepared) return;
    retell_pull_failures();
    start_due_containers();
    for (PodContainer& container : pod.containers) probe_due(container);
}

void Machine::end_pod() {
    bool quiet = true;
    for (PodContainer& container : pod.containers) {
        if (container.activity == PodContainer::Activity::running ||
            container.activity == PodContainer::Activity::post_start) {
            stop(container, pod.grace, "Stopping container " + container.name);
        }
        quiet = quiet && container.activity == PodContainer::Activity::idle;
    }
    if (!quiet) return;
    if (pod.stage == PodState::Stage::unprepared) pod.stage = PodState::Stage::removed;
    if (pod.stage == PodState::Stage::prepared) {
        pod.stage = PodState::Stage::removing;
        commands.push_back(pod_command::RemoveSandbox{});
    }
    if (pod.stage == PodState::Stage::removed && pod.deleting && !pod.delete_sent) {
        pod.delete_sent = true;
        commands.push_back(pod_command::DeletePod{});
    }
}

std::optional<Time> next_look(const PodState& pod, Time now) {
    std::optional<Time> first;
    const auto consider = [&](Time at) {
        if (at > now && (!first || at < *first)) first = at;
    };
    for (const PodContainer& container : pod.containers)
        if (const auto turn = next_turn(container)) consider(*turn);
    if (ending(pod) || has_finished(pod)) return first;
    if (pod.active_deadline) consider(pod.start_time + *pod.active_deadline);
    if (pod.stage == PodState::Stage::unprepared) consider(pod.prepare_after);
    if (pod.stage != PodState::Stage::prepared) return first;
    for (const PodContainer& container : pod.containers) {
        if (container.activity == PodContainer::Activity::idle) consider(container.start_after);
        if (container.pull_retold_at) consider(*container.pull_retold_at);
        for (const ProbeKind kind :
             {ProbeKind::startup, ProbeKind::liveness, ProbeKind::readiness}) {
            const ProbeProgress& progress = container.progress[static_cast<std::size_t>(kind)];
            if (probe_active(container, kind) && !progress.in_flight) consider(progress.next_at);
        }
    }
    return first;
}

}  // namespace pods
}  // namespace shed
