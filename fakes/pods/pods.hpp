#pragma once
// What happens to a pod on its node, as a step machine: an event and the time go in, the new state
// and the commands to carry out come out. The kubelet performs commands and reports back by events;
// nothing here waits, writes or runs.
#include "fakes/kube/kube.hpp"

#include <array>
#include <map>
#include <variant>

namespace shed {

enum class HookKind { post_start, pre_stop };
enum class ProbeKind { startup, liveness, readiness };
std::string_view probe_name(
    ProbeKind kind);  // "Startup", "Liveness", "Readiness": as events say it

// What a probe or a lifecycle hook does to a container.
struct Handler {
    enum class Method { tcp, http, exec, grpc, sleep };
    Method method = Method::tcp;
    int port = 0;                                   // named ports are resolved
    std::string host = {}, path = {}, scheme = {};  // path of http: any, also without a slash
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::vector<std::string> command = {};
    std::string service = {};  // of grpc: whose health is asked for
    Duration pause{};          // of sleep
};

struct ProbeSpec : Handler {
    Duration initial_delay{}, period{}, timeout{};
    int success_threshold = 1, failure_threshold = 3;
    std::optional<Duration> grace = {};  // terminationGracePeriodSeconds of the probe
};

// How one probe of one run of a container stands.
struct ProbeProgress {
    bool in_flight = false;
    bool passed = false;
    Time next_at{};          // when to look again
    Time next_counted_at{};  // before this a failure is not counted
    int successes = 0, failures = 0;
};

enum class RestartPolicy { always, on_failure, never };

// Exit codes after which a container runs again, whatever its policy says (restartPolicyRules).
struct RestartRule {
    bool in = true;  // false: any code but these
    std::vector<int> codes;
};

// What the API calls ContainerState.
struct ContainerState {
    enum class Kind { waiting, running, terminated };
    Kind kind = Kind::waiting;
    std::string reason = {}, message = {};
    int exit_code = 0;
    Time started{}, finished{};
    std::string container_id = {};
    int attempt = 0;
};

// A container that is asked to end: first its preStop hook, then its turn, then the signal. All of
// it counts against one grace period.
struct Stopping {
    Duration grace{}, hook_took{};
    Time ready{};  // since when it waits for its turn
    bool hook_runs = false;
    bool in_turn = false;  // ends with its pod: a sidecar waits for those that came after it
    bool sent = false;
};

struct PodContainer {
    enum class Role { init, sidecar, app };
    // post_start: the process runs, the hook does, too, and the container does not count as running
    enum class Activity { idle, starting, post_start, running, stopping };
    std::string name, image, pull_policy;
    Role role = Role::app;
    RestartPolicy restart = RestartPolicy::always;
    std::vector<RestartRule> rules = {};
    std::array<std::optional<ProbeSpec>, 3> probes = {};  // by ProbeKind
    std::array<ProbeProgress, 3> progress = {};
    std::optional<Handler> post_start = {}, pre_stop = {};

    Activity activity = Activity::idle;
    ContainerState state = {};
    std::optional<ContainerState> last_state = {};  // of the previous attempt
    int restart_count = 0;
    bool started_once = false;  // the next start is a restart
    bool ready = false, started = false;
    std::string container_id = {}, image_id = {};
    Time start_sent{}, run_began{};
    Stopping stopping = {};
    Time start_after{};   // no start before: crash and image pull back-off
    Duration back_off{};  // zero until the first crash has been forgiven
    Duration pull_back_off{};
    std::string pull_error =
        {};  // shown as ErrImagePull, then as ImagePullBackOff from pull_retold_at
    std::optional<Time> pull_retold_at = {};
    bool finished() const {
        return activity == Activity::idle && state.kind == ContainerState::Kind::terminated;
    }
};

struct PodCondition {
    std::string type;
    bool status = false;
    std::string reason = {}, message = {};
    Time changed{};
    bool operator==(const PodCondition&) const = default;
};

struct PodTiming {
    bool faithful = false;  // probes wait for initialDelaySeconds and keep their periods
    Duration eager_least = std::chrono::milliseconds(50);
};

struct PodState {
    enum class Stage {
        unprepared,  // no sandbox yet, or its preparation failed
        preparing,
        prepared,  // the sandbox runs
        removing,
        removed,
    };
    std::string ns, name, uid, ip;
    std::int64_t generation = 0;
    RestartPolicy restart = RestartPolicy::always;
    Duration grace = std::chrono::seconds(30);
    std::optional<Duration> active_deadline = {};
    PodTiming timing = {};

    Stage stage = Stage::unprepared;
    bool deleting = false;  // a deletionTimestamp was seen
    bool evicted = false;   // the kubelet ended it: reason and message say why
    bool delete_sent = false;
    Time start_time{};
    Time prepare_after{};
    Duration prepare_back_off{};
    std::string phase = "Pending", reason = {}, message = {};
    std::vector<PodContainer> containers;  // init containers first
    std::vector<PodCondition> conditions;  // in the kubelet's order

    PodContainer* find(std::string_view container);
    const PodContainer* find(std::string_view container) const;
    bool terminal() const { return phase == "Succeeded" || phase == "Failed"; }
};

// A pod as first seen by its kubelet. A probe without a handler is refused: the error names the
// container.
Result<PodState> first_state(const Object& pod, Time now, PodTiming timing = {});
// A pod that an earlier kubelet may have run, as its status says. When containers of it ran, its
// stage is `prepared`, and the kubelet, which has neither them nor the sandbox, must send
// SandboxLost. Init containers run again: what they made has gone.
Result<PodState> resumed_state(const Object& pod, Time now, PodTiming timing = {});

namespace pod_event {
struct Tick {};  // time has passed
struct Changed {
    std::int64_t generation = 0;
    bool deleting = false;
    std::optional<Duration> grace = {};
};
struct SandboxReady {
    std::string ip;
};
struct SandboxFailed {
    std::string reason, message;
};  // FailedMount, FailedCreatePodSandBox
struct SandboxRemoved {};
// It died by itself, with its containers: so they ended.
struct SandboxLost {
    int exit_code = 255;
    std::string reason = "ContainerStatusUnknown";
    std::string message = "The container could not be located when the pod was terminated";
};
struct Evicted {  // it took more than it may
    std::string message;
};
struct Started {
    std::string container;
    int attempt = 0;
    std::string container_id, image_id;
    Time at{};
};
struct StartFailed {  // before it ran
    std::string container;
    std::string reason;  // ErrImagePull, CreateContainerConfigError, StartError: they differ in
                         // what happens next
    std::string message;
};
struct Exited {
    std::string container;
    int attempt = 0, code = 0;
    Time finished{};
    std::string message = {};  // of the termination message file
    bool oom_killed = false;
};
struct Probed {
    std::string container;
    int attempt = 0;
    ProbeKind kind = ProbeKind::readiness;
    bool ok = false;
    std::string output = {};
};
struct HookEnded {
    std::string container;
    int attempt = 0;
    HookKind kind = HookKind::pre_stop;
    bool ok = false;
    Duration took{};
    std::string message = {};  // why it failed, as a status says it
};
}  // namespace pod_event
using PodEvent = std::variant<pod_event::Tick, pod_event::Changed, pod_event::SandboxReady,
                              pod_event::SandboxFailed, pod_event::SandboxRemoved,
                              pod_event::SandboxLost, pod_event::Evicted, pod_event::Started,
                              pod_event::StartFailed, pod_event::Exited, pod_event::Probed,
                              pod_event::HookEnded>;

namespace pod_command {
struct Prepare {};  // volumes, address, sandbox
struct Start {
    std::string container;
    int attempt = 0;
};
struct Stop {
    std::string container;
    Duration grace{};
};
struct Probe {
    std::string container;
    int attempt = 0;
    ProbeKind kind = ProbeKind::readiness;
    ProbeSpec spec;
};
struct Hook {
    std::string container;
    int attempt = 0;
    HookKind kind = HookKind::pre_stop;
    Handler handler;
    std::optional<Duration> limit = {};  // it is given up then
};
struct RemoveSandbox {};
struct DeletePod {};  // from the API, with grace 0
struct Tell {
    std::string type, reason, message, container = {};
};  // an Event about the pod or one container
}  // namespace pod_command
using PodCommand = std::variant<pod_command::Prepare, pod_command::Start, pod_command::Stop,
                                pod_command::Probe, pod_command::Hook, pod_command::RemoveSandbox,
                                pod_command::DeletePod, pod_command::Tell>;

struct PodStep {
    PodState state;
    std::vector<PodCommand> commands;
    std::optional<Time> look_again_at;  // send a Tick then
};

PodStep next(PodState state, const PodEvent& event, Time now);

// status of the pod in the API's form: what a kubelet owns (no PodScheduled condition, no
// qosClass).
Json pod_status(const PodState& state, const Json& pod, std::string_view host_ip);

}  // namespace shed
