#pragma once
// The parts of one step, shared by this module's files only.
#include "fakes/pods/pods.hpp"

namespace shed::pods {

struct Machine {
    PodState& pod;
    std::vector<PodCommand>& commands;
    Time now;

    // next.cpp: the pod as a whole
    void on(const pod_event::Tick&) {}
    void on(const pod_event::Changed& event);
    void on(const pod_event::SandboxReady& event);
    void on(const pod_event::SandboxFailed& event);
    void on(const pod_event::SandboxRemoved& event);
    void on(const pod_event::SandboxLost& event);
    void on(const pod_event::Evicted& event);
    void advance();
    void end_pod();
    // containers.cpp: one container's life
    void on(const pod_event::Started& event);
    void on(const pod_event::StartFailed& event);
    void on(const pod_event::Exited& event);
    void start_due_containers();
    bool start_if_due(PodContainer& container);
    void start_error(PodContainer& container, const std::string& message);
    void pull_failed(PodContainer& container, const std::string& reason,
                     const std::string& message);
    void retell_pull_failures();
    void exited(PodContainer& container, ContainerState last);
    void run_began(PodContainer& container);
    // stops.cpp: hooks, and how a container is made to end
    void on(const pod_event::HookEnded& event);
    void post_start_ended(PodContainer& container, const pod_event::HookEnded& event);
    void pre_stop_ended(PodContainer& container, const pod_event::HookEnded& event);
    void stop(PodContainer& container, Duration grace, std::string message);
    void shorten_stops(Duration grace);
    void send_due_stops();
    // probes.cpp
    void on(const pod_event::Probed& event);
    void begin_probes(PodContainer& container);
    void probe_due(PodContainer& container);
    void probe_passed(PodContainer& container, ProbeKind kind);
    void probe_failed(PodContainer& container, ProbeKind kind, const std::string& output);

    void tell(std::string type, std::string reason, std::string message,
              std::string container = {});
};

bool ending(const PodState& pod);  // deleted or evicted: nothing starts any more
bool will_restart(
    const PodContainer& container);      // a terminated container whose policy wants another run
bool has_finished(const PodState& pod);  // no app container will run again
bool probe_active(const PodContainer& container, ProbeKind kind);
std::string full_name(const PodState& pod);  // NAME_NAMESPACE(UID)
void set_waiting(PodContainer& container, std::string reason, std::string message);
std::optional<Time> next_turn(const PodContainer& container);  // when it no longer waits
std::optional<Time> next_look(const PodState& pod, Time now);
void update_phase(PodState& pod, Time now);  // phase.cpp: phase and conditions

}  // namespace shed::pods
