#include "tests/pods/play.hpp"

namespace shed {
namespace {

using namespace pod_event;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

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
    struct Row {
        const char* policy;
        int code;
        const char *phase, *reason;
        bool ends;
    };
    for (const Row& row :
         {Row{"Never", 0, "Succeeded", "Completed", true}, Row{"Never", 3, "Failed", "Error", true},
          Row{"OnFailure", 0, "Succeeded", "Completed", true},
          Row{"OnFailure", 3, "Running", "Error", false},
          Row{"Always", 0, "Running", "Completed", false}}) {
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

TEST(Pods, AContainersOwnPolicyAndRulesWin) {
    Json pod = a_pod("Never");
    Json& container = pod["spec"]["containers"][0];
    container["restartPolicy"] = "Never";
    container["restartPolicyRules"] = Json::array(
        {{{"action", "Restart"}, {"exitCodes", {{"operator", "In"}, {"values", {42}}}}}});
    Play play(pod);
    play.run();
    EXPECT_THAT(play.exit(42), ElementsAre("start node 1"));
    play.started("node", 1);
    EXPECT_THAT(play.exit(41, 1), ElementsAre("remove"));
    EXPECT_EQ(play.state.phase, "Failed");
    container.erase("restartPolicyRules");
    container["restartPolicy"] = "OnFailure";
    Play policy(pod);
    policy.run();
    EXPECT_THAT(policy.exit(1), ElementsAre("start node 1"));
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
        EXPECT_EQ(string_at(play.status()["containerStatuses"][0], "lastState.terminated.reason"),
                  "Error");
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
    EXPECT_THAT(play.events,
                ElementsAre("BackOff: Back-off restarting failed container node in pod p_ns(u-1)"));
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
    EXPECT_THAT(play.events, ElementsAre("BackOff: Back-off pulling image \"img\"",
                                         "Failed: Error: ImagePullBackOff"));
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
    EXPECT_THAT(play.send(StartFailed{"node", "StartError", "exec: \"nope\": not found"}),
                ElementsAre("remove"));
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
    EXPECT_EQ(play.state.phase, "Running") << "until the sidecar has ended, too";
    EXPECT_THAT(play.exit(143, 0, seconds(1), "init"), ElementsAre("remove"));
    EXPECT_EQ(play.state.phase, "Succeeded") << "a sidecar's exit code does not count";
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
    const Json ended = play.status()["containerStatuses"][0]["state"]["terminated"];
    EXPECT_EQ(ended["exitCode"], 255);
    EXPECT_EQ(ended["reason"], "ContainerStatusUnknown");
    EXPECT_THAT(play.send(SandboxReady{"10.244.0.9"}), ElementsAre("start node 1"));
}

// As a kubelet that begins again finds the pod of `play`, whose processes have ended meanwhile.
Play begun_again(const Play& play) {
    Json dom = play.dom;
    dom["status"] = play.status();
    Play again(dom);
    again.state = *resumed_state(*Object::make(dom), noon);
    return again;
}

SandboxLost unknown_end() { return {255, "ContainerStatusUnknown", "nobody saw it"}; }

TEST(Resumed, ARunningContainerHasEndedAndIsRestarted) {
    Play before(a_pod("Always"));
    before.run();
    Play play = begun_again(before);
    EXPECT_EQ(play.state.stage, PodState::Stage::prepared);
    EXPECT_EQ(play.state.start_time, before.state.start_time);
    EXPECT_THAT(play.send(unknown_end()), ElementsAre("prepare"));
    EXPECT_THAT(play.send(SandboxReady{"10.244.0.9"}), ElementsAre("start node 1"));
    play.started("node", 1);
    const Json container = play.status()["containerStatuses"][0];
    EXPECT_EQ(container["restartCount"], 1);
    EXPECT_EQ(container["lastState"]["terminated"]["exitCode"], 255);
    EXPECT_EQ(container["lastState"]["terminated"]["reason"], "ContainerStatusUnknown");
    EXPECT_EQ(container["lastState"]["terminated"]["startedAt"],
              before.status()["containerStatuses"][0]["state"]["running"]["startedAt"]);
}

TEST(Resumed, APodThatIsNotRestartedFails) {
    Play before(a_pod("Never"));
    before.run();
    Play play = begun_again(before);
    EXPECT_THAT(play.send(unknown_end()), ElementsAre("remove"));
    EXPECT_EQ(play.status()["phase"], "Failed");
    EXPECT_EQ(play.status()["containerStatuses"][0]["state"]["terminated"]["exitCode"], 255);
}

TEST(Resumed, ADeletedPodGoes) {
    Play before(a_pod("Always"));
    before.run();
    before.dom["metadata"]["deletionTimestamp"] = "2026-11-23T12:00:30Z";
    before.dom["metadata"]["deletionGracePeriodSeconds"] = 30;
    Play play = begun_again(before);
    EXPECT_THAT(play.send(unknown_end()), ElementsAre("remove"));
    EXPECT_THAT(play.send(SandboxRemoved{}), ElementsAre("delete"));
}

TEST(Resumed, APodThatHadNotBegunBegins) {
    Play play = begun_again(Play(a_pod()));
    EXPECT_EQ(play.state.stage, PodState::Stage::unprepared);
    EXPECT_THAT(play.tick({}), ElementsAre("prepare"));
    EXPECT_THAT(play.send(SandboxReady{"10.244.0.9"}), ElementsAre("start node 0"));
}

TEST(Resumed, AContainerThatHadSucceededStaysSo) {
    Play before(a_pod("OnFailure"));
    before.run();
    before.exit(0);
    Play play = begun_again(before);
    EXPECT_EQ(play.state.stage, PodState::Stage::unprepared);
    play.tick({});
    EXPECT_EQ(play.status()["phase"], "Succeeded");
}

}  // namespace
}  // namespace shed
