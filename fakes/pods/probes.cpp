#include "fakes/pods/machine.hpp"

#include <algorithm>

namespace shed::pods {

using Activity = PodContainer::Activity;

namespace {

constexpr ProbeKind all_probes[] = {ProbeKind::startup, ProbeKind::liveness, ProbeKind::readiness};
std::size_t index_of(ProbeKind kind) { return static_cast<std::size_t>(kind); }

// Unlike kubelet: while a probe has not passed it is tried often, so that what waits for a pod
// starts as soon as the pod is there. The pause grows with the time spent waiting; an exec probe
// starts a process, so it is tried less often.
Duration eager_pause(const PodTiming& timing, const ProbeSpec& spec, Duration waited) {
    const Duration least =
        spec.method == ProbeSpec::Method::exec ? timing.eager_least * 5 : timing.eager_least;
    const Duration most =
        std::max<Duration>(least, std::min<Duration>(spec.period, std::chrono::seconds(1)));
    return std::clamp(waited / 10, least, most);
}

bool is_eager(const PodTiming& timing, ProbeKind kind) {
    return !timing.faithful && kind != ProbeKind::liveness;
}

}  // namespace

bool probe_active(const PodContainer& container, ProbeKind kind) {
    if (!container.probes[index_of(kind)] || container.activity != Activity::running) return false;
    return (kind == ProbeKind::startup) != container.started;
}

void Machine::begin_probes(PodContainer& container) {
    container.started = !container.probes[index_of(ProbeKind::startup)];
    container.ready = container.started && !container.probes[index_of(ProbeKind::readiness)];
    for (const ProbeKind kind : all_probes) {
        const auto& spec = container.probes[index_of(kind)];
        if (!spec) continue;
        ProbeProgress progress;
        progress.next_counted_at = container.state.started + spec->initial_delay;
        progress.next_at = is_eager(pod.timing, kind) ? now : progress.next_counted_at;
        container.progress[index_of(kind)] = progress;
    }
}

void Machine::probe_due(PodContainer& container) {
    for (const ProbeKind kind : all_probes) {
        ProbeProgress& progress = container.progress[index_of(kind)];
        if (!probe_active(container, kind) || progress.in_flight || now < progress.next_at)
            continue;
        progress.in_flight = true;
        commands.push_back(pod_command::Probe{container.name, container.restart_count, kind,
                                              *container.probes[index_of(kind)]});
    }
}

void Machine::on(const pod_event::Probed& event) {
    PodContainer* container = pod.find(event.container);
    if (container == nullptr || event.attempt != container->restart_count) return;
    ProbeProgress& progress = container->progress[index_of(event.kind)];
    progress.in_flight = false;
    if (!probe_active(*container, event.kind)) return;
    const ProbeSpec& spec = *container->probes[index_of(event.kind)];
    const bool settled = event.kind == ProbeKind::readiness ? container->ready : false;
    if (event.ok) {
        progress.failures = 0;
        if (++progress.successes >= spec.success_threshold) probe_passed(*container, event.kind);
    } else {
        progress.successes = 0;
        if (now >= progress.next_counted_at) {
            ++progress.failures;
            progress.next_counted_at = now + spec.period;
            probe_failed(*container, event.kind, event.output);
        }
    }
    const bool waiting = event.kind == ProbeKind::readiness ? !container->ready : !settled;
    const Duration waited = now - container->state.started;
    progress.next_at =
        now + (waiting && is_eager(pod.timing, event.kind) ? eager_pause(pod.timing, spec, waited)
                                                           : spec.period);
}

void Machine::probe_passed(PodContainer& container, ProbeKind kind) {
    if (kind == ProbeKind::readiness) container.ready = true;
    if (kind != ProbeKind::startup) return;
    container.started = true;
    container.ready = !container.probes[index_of(ProbeKind::readiness)];
}

void Machine::probe_failed(PodContainer& container, ProbeKind kind, const std::string& output) {
    const ProbeSpec spec = *container.probes[index_of(kind)];
    tell("Warning", "Unhealthy", std::string(probe_name(kind)) + " probe failed: " + output,
         container.name);
    if (container.progress[index_of(kind)].failures < spec.failure_threshold) return;
    if (kind == ProbeKind::readiness) {
        container.ready = false;
        return;
    }
    container.ready = false;
    const std::string which = kind == ProbeKind::liveness ? "liveness" : "startup";
    stop(container, spec.grace.value_or(pod.grace),
         "Container " + container.name + " failed " + which + " probe, will be restarted");
}

}  // namespace shed::pods
