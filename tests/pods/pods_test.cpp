#include "fakes/pods/pods.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using namespace pod_event;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

const Time noon = *parse_time("2026-11-23T12:00:00Z");

Json a_pod(std::string restart_policy = "OnFailure") {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", "p"}, {"namespace", "ns"}, {"uid", "u-1"}, {"generation", 1}}},
            {"spec",
             {{"restartPolicy", restart_policy},
              {"containers", Json::array({{{"name", "node"}, {"image", "img"}, {"imagePullPolicy", "IfNotPresent"}}})}}}};
}

// Plays the kubelet and the clock: keeps the state, collects commands as short text.
class Play {
public:
    explicit Play(Json pod, PodTiming timing = {}) : dom(std::move(pod)), state(*first_state(*Object::make(dom), noon, timing)) {}

    std::vector<std::string> send(const PodEvent& event, Duration later = {}) {
        now += later;
        PodStep step = next(std::move(state), event, now);
        state = std::move(step.state);
        look = step.look_again_at;
        events.clear();
        std::vector<std::string> said;
        for (const PodCommand& command : step.commands) std::visit([&](const auto& c) { note(c, said); }, command);
        return said;
    }
    std::vector<std::string> tick(Duration later) { return send(Tick{}, later); }
    std::vector<std::string> to_sandbox() {
        send(Tick{});
        return send(SandboxReady{"10.244.0.7"});
    }
    std::vector<std::string> started(std::string name = "node", int attempt = 0) {
        return send(Started{name, attempt, "containerd://c" + std::to_string(attempt), "img@sha256:0", now});
    }
    void run() {
        to_sandbox();
        started();
    }
    std::vector<std::string> exit(int code, int attempt = 0, Duration after = seconds(1), std::string name = "node") {
        now += after;
        return send(Exited{name, attempt, code, now});
    }
    Json status() const { return pod_status(state, dom, "172.18.0.2"); }
    std::string reason() const { return string_at(status()["containerStatuses"][0]["state"], "waiting.reason"); }

    Json dom;
    PodState state;
    Time now = noon;
    std::optional<Time> look;
    std::vector<std::string> events;

private:
    void note(const pod_command::Prepare&, std::vector<std::string>& said) { said.push_back("prepare"); }
    void note(const pod_command::Start& c, std::vector<std::string>& said) {
        said.push_back("start " + c.container + " " + std::to_string(c.attempt));
    }
    void note(const pod_command::Stop& c, std::vector<std::string>& said) {
        said.push_back("stop " + c.container + " " + std::to_string(c.grace / seconds(1)));
    }
    void note(const pod_command::Probe& c, std::vector<std::string>& said) {
        said.push_back(std::string(probe_name(c.kind)) + " " + c.container);
    }
    void note(const pod_command::RemoveSandbox&, std::vector<std::string>& said) { said.push_back("remove"); }
    void note(const pod_command::DeletePod&, std::vector<std::string>& said) { said.push_back("delete"); }
    void note(const pod_command::Tell& c, std::vector<std::string>&) { events.push_back(c.reason + ": " + c.message); }
};

TEST(Pods, PreparesTheSandboxBeforeAnyContainerStarts) {
    Play play(a_pod());
    EXPECT_THAT(play.send(Tick{}), ElementsAre("prepare"));
    EXPECT_EQ(play.reason(), "ContainerCreating");
    EXPECT_THAT(play.send(SandboxReady{"10.244.0.7"}), ElementsAre("start node 0"));
    EXPECT_EQ(play.status()["podIP"], "10.244.0.7");
}

TEST(Pods, RetriesAFailedPreparationWithGrowingPauses) {
    Play play(a_pod());
    play.send(Tick{});
    EXPECT_THAT(play.send(SandboxFailed{"FailedMount", "secret \"s\" not found"}), IsEmpty());
    EXPECT_THAT(play.events, ElementsAre("FailedMount: secret \"s\" not found"));
    EXPECT_EQ(*play.look - play.now, milliseconds(500));
    EXPECT_THAT(play.tick(milliseconds(500)), ElementsAre("prepare"));
    play.send(SandboxFailed{"FailedMount", "secret \"s\" not found"});
    EXPECT_EQ(*play.look - play.now, seconds(1));
}

TEST(Pods, ExitDecidesPhaseByRestartPolicy) {
    struct Row { const char *policy; int code; const char *phase, *reason; bool ends; };
    for (const Row& row : {Row{"Never", 0, "Succeeded", "Completed", true}, Row{"Never", 3, "Failed", "Error", true},
                           Row{"OnFailure", 0, "Succeeded", "Completed", true},
                           Row{"OnFailure", 3, "Running", "Error", false}, Row{"Always", 0, "Running", "Completed", false}}) {
        SCOPED_TRACE(std::string(row.policy) + " " + std::to_string(row.code));
        Play play(a_pod(row.policy));
        play.run();
        EXPECT_EQ(play.state.phase, "Running");
        const auto said = play.exit(row.code);
        EXPECT_EQ(play.state.phase, row.phase);
        const Json state = play.status()["containerStatuses"][0]["state"];
        EXPECT_EQ(string_at(state, "terminated.reason"), row.reason);
        EXPECT_EQ(int_at(state, "terminated.exitCode"), row.code);
        EXPECT_THAT(said, ElementsAre(row.ends ? "remove" : "start node 1"));
    }
}

TEST(Pods, RestartsAtOnceThenAfterTenSecondsDoublingToFiveMinutes) {
    Play play(a_pod());
    play.run();
    std::vector<std::int64_t> pauses;
    for (int attempt = 0; attempt < 9; ++attempt) {
        auto said = play.exit(1, attempt);
        const Time since = play.now;
        if (said.empty()) {
            EXPECT_EQ(play.reason(), "CrashLoopBackOff");
            EXPECT_EQ(play.state.phase, "Running");
            EXPECT_THAT(play.tick(*play.look - play.now - milliseconds(1)), IsEmpty());
            said = play.tick(milliseconds(1));
        }
        EXPECT_THAT(said, ElementsAre("start node " + std::to_string(attempt + 1)));
        pauses.push_back((play.now - since) / seconds(1));
        play.started("node", attempt + 1);
        EXPECT_EQ(play.status()["containerStatuses"][0]["restartCount"], attempt + 1);
        EXPECT_EQ(string_at(play.status()["containerStatuses"][0], "lastState.terminated.reason"), "Error");
    }
    EXPECT_THAT(pauses, ElementsAre(0, 10, 20, 40, 80, 160, 300, 300, 300));
}

TEST(Pods, ForgetsCrashesAfterARunOfMoreThanTenMinutes) {
    Play play(a_pod());
    play.run();
    play.exit(1);
    play.started("node", 1);
    play.exit(1, 1);
    EXPECT_EQ(*play.look - play.now, seconds(10));
    play.tick(seconds(10));
    play.started("node", 2);
    EXPECT_THAT(play.exit(1, 2, minutes(11)), ElementsAre("start node 3"));
}

TEST(Pods, SaysWhatCrashLoopBackOffWaitsFor) {
    Play play(a_pod());
    play.run();
    play.exit(1);
    play.started("node", 1);
    play.exit(1, 1);
    EXPECT_THAT(play.events, ElementsAre("BackOff: Back-off restarting failed container node in pod p_ns(u-1)"));
    EXPECT_EQ(string_at(play.status()["containerStatuses"][0], "state.waiting.message"),
              "back-off 10s restarting failed container=node pod=p_ns(u-1)");
}

TEST(Pods, ImageErrorsTurnIntoBackOffAndAreRetried) {
    Play play(a_pod());
    play.to_sandbox();
    play.send(StartFailed{"node", "ErrImagePull", "no environment for image \"img\""});
    EXPECT_EQ(play.reason(), "ErrImagePull");
    EXPECT_EQ(play.state.phase, "Pending");
    EXPECT_THAT(play.tick(seconds(1)), IsEmpty());
    EXPECT_EQ(play.reason(), "ImagePullBackOff");
    EXPECT_THAT(play.events, ElementsAre("BackOff: Back-off pulling image \"img\"", "Failed: Error: ImagePullBackOff"));
    EXPECT_THAT(play.tick(seconds(9)), ElementsAre("start node 0"));
    play.send(StartFailed{"node", "ErrImagePull", "still not"});
    EXPECT_THAT(play.tick(seconds(19)), IsEmpty());
    EXPECT_THAT(play.tick(seconds(1)), ElementsAre("start node 0"));
}

TEST(Pods, ConfigErrorsAreRetriedEveryTenSeconds) {
    Play play(a_pod());
    play.to_sandbox();
    play.send(StartFailed{"node", "CreateContainerConfigError", "secret \"s\" not found"});
    EXPECT_EQ(play.reason(), "CreateContainerConfigError");
    EXPECT_THAT(play.events, ElementsAre("Failed: Error: secret \"s\" not found"));
    EXPECT_THAT(play.tick(seconds(10)), ElementsAre("start node 0"));
}

TEST(Pods, ACommandThatCannotRunCountsAsExit128) {
    Play play(a_pod("Never"));
    play.to_sandbox();
    EXPECT_THAT(play.send(StartFailed{"node", "StartError", "exec: \"nope\": not found"}), ElementsAre("remove"));
    EXPECT_EQ(play.state.phase, "Failed");
    EXPECT_EQ(int_at(play.status()["containerStatuses"][0], "state.terminated.exitCode"), 128);
}

Json with_init(std::string policy, Json init_extra = Json::object()) {
    Json pod = a_pod(std::move(policy));
    Json init = {{"name", "init"}, {"image", "img"}};
    init.update(init_extra);
    pod["spec"]["initContainers"] = Json::array({init});
    return pod;
}

TEST(Pods, RunsInitContainersFirst) {
    Play play(with_init("Never"));
    EXPECT_THAT(play.to_sandbox(), ElementsAre("start init 0"));
    play.started("init");
    EXPECT_EQ(play.state.phase, "Pending");
    EXPECT_EQ(play.reason(), "PodInitializing");
    EXPECT_EQ(string_at(condition_of({{"status", play.status()}}, "Initialized"), "message"),
              "containers with incomplete status: [init]");
    EXPECT_THAT(play.exit(0, 0, seconds(1), "init"), ElementsAre("start node 0"));
}

TEST(Pods, AFailedInitContainerEndsThePodOnlyUnderNever) {
    Play never(with_init("Never"));
    never.to_sandbox();
    never.started("init");
    EXPECT_THAT(never.exit(1, 0, seconds(1), "init"), ElementsAre("remove"));
    EXPECT_EQ(never.state.phase, "Failed");
    Play always(with_init("Always"));
    always.to_sandbox();
    always.started("init");
    EXPECT_THAT(always.exit(1, 0, seconds(1), "init"), ElementsAre("start init 1"));
    EXPECT_EQ(always.state.phase, "Pending");
}

TEST(Pods, SidecarsStartFirstAndEndWithTheApps) {
    Play play(with_init("Never", {{"restartPolicy", "Always"}}));
    EXPECT_THAT(play.to_sandbox(), ElementsAre("start init 0"));
    EXPECT_THAT(play.started("init"), ElementsAre("start node 0"));
    play.started("node");
    EXPECT_EQ(play.state.phase, "Running");
    EXPECT_THAT(play.exit(0), ElementsAre("stop init 30"));
    EXPECT_EQ(play.state.phase, "Succeeded");
    EXPECT_THAT(play.exit(143, 0, seconds(1), "init"), ElementsAre("remove"));
}

Json with_probe(std::string which, Json probe) {
    Json pod = a_pod("Always");
    probe.update({{"tcpSocket", {{"port", 2222}}}});
    pod["spec"]["containers"][0][which] = std::move(probe);
    return pod;
}

TEST(Probes, MaySucceedBeforeTheInitialDelayButNeverFail) {
    Play play(with_probe("readinessProbe", {{"initialDelaySeconds", 5}}));
    play.to_sandbox();
    EXPECT_THAT(play.started(), ElementsAre("Readiness node"));
    EXPECT_FALSE(play.state.containers[0].ready);
    EXPECT_THAT(play.send(Probed{"node", 0, ProbeKind::readiness, false, "refused"}), IsEmpty());
    EXPECT_THAT(play.events, IsEmpty());
    EXPECT_EQ(*play.look - play.now, milliseconds(50));
    EXPECT_THAT(play.tick(milliseconds(50)), ElementsAre("Readiness node"));
    play.send(Probed{"node", 0, ProbeKind::readiness, true});
    EXPECT_TRUE(play.state.containers[0].ready);
    EXPECT_TRUE(condition_true({{"status", play.status()}}, "Ready"));
    EXPECT_EQ(*play.look - play.now, seconds(10));
}

TEST(Probes, WaitForTheInitialDelayUnderFaithfulTiming) {
    PodTiming timing;
    timing.faithful = true;
    Play play(with_probe("readinessProbe", {{"initialDelaySeconds", 5}}), timing);
    play.to_sandbox();
    EXPECT_THAT(play.started(), IsEmpty());
    EXPECT_THAT(play.tick(milliseconds(4999)), IsEmpty());
    EXPECT_THAT(play.tick(milliseconds(1)), ElementsAre("Readiness node"));
    play.send(Probed{"node", 0, ProbeKind::readiness, false, "refused"});
    EXPECT_THAT(play.events, ElementsAre("Unhealthy: Readiness probe failed: refused"));
    EXPECT_EQ(*play.look - play.now, seconds(10));
}

TEST(Probes, LoseReadinessAfterThreeFailures) {
    Play play(with_probe("readinessProbe", Json::object()));
    play.to_sandbox();
    play.started();
    play.send(Probed{"node", 0, ProbeKind::readiness, true});
    for (int i = 0; i < 3; ++i) {
        EXPECT_TRUE(play.state.containers[0].ready) << i;
        play.tick(seconds(10));
        play.send(Probed{"node", 0, ProbeKind::readiness, false, "refused"});
    }
    EXPECT_FALSE(play.state.containers[0].ready);
}

TEST(Probes, LivenessStopsTheContainerWhichThenRestarts) {
    Play play(with_probe("livenessProbe", {{"failureThreshold", 2}, {"terminationGracePeriodSeconds", 4}}));
    play.to_sandbox();
    EXPECT_THAT(play.started(), ElementsAre("Liveness node"));
    EXPECT_THAT(play.send(Probed{"node", 0, ProbeKind::liveness, false, "x"}), IsEmpty());
    play.tick(seconds(10));
    EXPECT_THAT(play.send(Probed{"node", 0, ProbeKind::liveness, false, "x"}), ElementsAre("stop node 4"));
    EXPECT_THAT(play.events, ElementsAre("Unhealthy: Liveness probe failed: x",
                                         "Killing: Container node failed liveness probe, will be restarted"));
    EXPECT_THAT(play.exit(143), ElementsAre("start node 1"));
}

TEST(Probes, StartupHoldsTheOthersBack) {
    Json pod = with_probe("startupProbe", Json::object());
    pod["spec"]["containers"][0]["readinessProbe"] = {{"exec", {{"command", {"true"}}}}};
    Play play(pod);
    play.to_sandbox();
    EXPECT_THAT(play.started(), ElementsAre("Startup node"));
    EXPECT_THAT(play.send(Probed{"node", 0, ProbeKind::startup, true}), ElementsAre("Readiness node"));
    EXPECT_EQ(play.status()["containerStatuses"][0]["started"], true);
}

TEST(Probes, ResultsOfAnEarlierAttemptAreIgnored) {
    Play play(with_probe("readinessProbe", Json::object()));
    play.to_sandbox();
    play.started();
    play.exit(1);
    play.started("node", 1);
    play.send(Probed{"node", 0, ProbeKind::readiness, true});
    EXPECT_FALSE(play.state.containers[0].ready);
}

TEST(Probes, ByGrpcAreRefused) {
    Json pod = a_pod();
    pod["spec"]["containers"][0]["livenessProbe"] = {{"grpc", {{"port", 1}}}};
    const auto state = first_state(*Object::make(pod), noon);
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().message, testing::HasSubstr("livenessProbe"));
}

TEST(Deletion, StopsRemovesThenDeletes) {
    Play play(a_pod("Always"));
    play.run();
    EXPECT_THAT(play.send(Changed{2, true, seconds(7)}), ElementsAre("stop node 7"));
    EXPECT_THAT(play.events, ElementsAre("Killing: Stopping container node"));
    EXPECT_EQ(play.state.phase, "Running");
    EXPECT_THAT(play.exit(255), ElementsAre("remove"));
    EXPECT_EQ(play.state.phase, "Failed");
    EXPECT_EQ(string_at(condition_of({{"status", play.status()}}, "Ready"), "reason"), "PodFailed");
    EXPECT_THAT(play.send(SandboxRemoved{}), ElementsAre("delete"));
    EXPECT_THAT(play.tick(seconds(1)), IsEmpty());
}

TEST(Deletion, DuringAStartWaitsForTheStart) {
    Play play(a_pod());
    play.to_sandbox();
    EXPECT_THAT(play.send(Changed{2, true}), IsEmpty());
    EXPECT_THAT(play.started(), ElementsAre("stop node 30"));
}

TEST(Deletion, DuringPreparationWaitsForIt) {
    Play play(a_pod());
    play.send(Tick{});
    EXPECT_THAT(play.send(Changed{2, true}), IsEmpty());
    EXPECT_THAT(play.send(SandboxReady{"10.244.0.7"}), ElementsAre("remove"));
}

TEST(Deletion, OfAFinishedPodOnlyDeletes) {
    Play play(a_pod());
    play.run();
    play.exit(0);
    play.send(SandboxRemoved{});
    EXPECT_THAT(play.send(Changed{2, true}), ElementsAre("delete"));
    EXPECT_EQ(play.state.phase, "Succeeded");
}

TEST(Pods, PastTheirDeadlineFail) {
    Json pod = a_pod();
    pod["spec"]["activeDeadlineSeconds"] = 5;
    Play play(pod);
    play.run();
    EXPECT_EQ(*play.look - play.now, seconds(5));
    EXPECT_THAT(play.tick(seconds(5)), ElementsAre("stop node 30"));
    EXPECT_THAT(play.exit(143), ElementsAre("remove"));
    EXPECT_EQ(play.status()["phase"], "Failed");
    EXPECT_EQ(play.status()["reason"], "DeadlineExceeded");
}

TEST(Pods, RebuildALostSandbox) {
    Play play(a_pod("Always"));
    play.run();
    EXPECT_THAT(play.send(SandboxLost{}), ElementsAre("prepare"));
    EXPECT_THAT(play.send(SandboxReady{"10.244.0.9"}), ElementsAre("start node 1"));
}

}  // namespace
}  // namespace shed
