// Lifecycle hooks, and the order in which the containers of a pod end.
#include "tests/pods/play.hpp"

namespace shed {
namespace {

using namespace pod_event;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

Json with_hooks(std::string policy, Json lifecycle) {
    Json pod = a_pod(std::move(policy));
    pod["spec"]["containers"][0]["lifecycle"] = std::move(lifecycle);
    return pod;
}
const Json post_start = {{"postStart", {{"exec", {{"command", {"true"}}}}}}};
const Json pre_stop = {{"preStop", {{"exec", {{"command", {"true"}}}}}}};

TEST(Hooks, AContainerRunsOnlyAfterItsPostStart) {
    Play play(with_hooks("Never", post_start));
    play.to_sandbox();
    EXPECT_THAT(play.started(), ElementsAre("postStart node"));
    EXPECT_EQ(play.reason(), "ContainerCreating");
    EXPECT_EQ(play.state.phase, "Pending");
    play.hook_ended(HookKind::post_start, true, seconds(3));
    EXPECT_EQ(play.state.phase, "Running");
    EXPECT_EQ(string_at(play.status()["containerStatuses"][0], "state.running.startedAt"),
              format_time(noon));
}

TEST(Hooks, TheNextContainerWaitsForAPostStart) {
    Json pod = with_hooks("Never", post_start);
    pod["spec"]["containers"].push_back({{"name", "second"}, {"image", "img"}});
    Play play(pod);
    EXPECT_THAT(play.to_sandbox(), ElementsAre("start node 0"));
    EXPECT_THAT(play.started(), ElementsAre("postStart node"));
    EXPECT_THAT(play.hook_ended(HookKind::post_start, true), ElementsAre("start second 0"));
}

TEST(Hooks, AFailedPostStartEndsTheContainer) {
    Play play(with_hooks("Always", post_start));
    play.to_sandbox();
    play.started();
    EXPECT_THAT(play.hook_ended(HookKind::post_start, false), ElementsAre("stop node 30"));
    EXPECT_THAT(play.events, ElementsAre("FailedPostStartHook: PostStartHook failed",
                                         "Killing: FailedPostStartHook"));
    EXPECT_EQ(play.reason(), "PostStartHookError");
    EXPECT_EQ(string_at(play.status()["containerStatuses"][0], "state.waiting.message"), "why");
    EXPECT_THAT(play.exit(143), ElementsAre("start node 1"));
}

TEST(Hooks, AContainerThatEndsDuringItsPostStartHasFailedIt) {
    Play play(with_hooks("Never", post_start));
    play.to_sandbox();
    play.started();
    EXPECT_THAT(play.exit(0), ElementsAre("remove"));
    EXPECT_THAT(play.events, ElementsAre("FailedPostStartHook: PostStartHook failed"));
    EXPECT_EQ(play.state.phase, "Succeeded");
    EXPECT_THAT(play.hook_ended(HookKind::post_start, false), IsEmpty());
    EXPECT_THAT(play.events, IsEmpty());
}

TEST(Hooks, ADeletionDoesNotWaitForAPostStart) {
    Play play(with_hooks("Always", post_start));
    play.to_sandbox();
    play.started();
    EXPECT_THAT(play.send(Changed{2, true, seconds(7)}), ElementsAre("stop node 7"));
    EXPECT_THAT(play.hook_ended(HookKind::post_start, true), IsEmpty());
}

TEST(Hooks, PreStopComesBeforeTheSignalAndCountsAgainstTheGrace) {
    Play play(with_hooks("Always", pre_stop));
    play.run();
    EXPECT_THAT(play.send(Changed{2, true, seconds(30)}), ElementsAre("preStop node"));
    EXPECT_THAT(play.events, ElementsAre("Killing: Stopping container node"));
    EXPECT_THAT(play.hook_ended(HookKind::pre_stop, true, milliseconds(12'700)),
                ElementsAre("stop node 18"));
    EXPECT_THAT(play.events, IsEmpty());
}

TEST(Hooks, AfterAPreStopThatTookTheWholeGraceTwoSecondsAreLeft) {
    Play play(with_hooks("Always", pre_stop));
    play.run();
    play.send(Changed{2, true, seconds(5)});
    EXPECT_THAT(play.hook_ended(HookKind::pre_stop, false, seconds(5)), ElementsAre("stop node 2"));
    EXPECT_THAT(play.events, ElementsAre("FailedPreStopHook: PreStopHook failed"));
}

TEST(Hooks, PreStopIsNotRunForAContainerThatEndedByItself) {
    Play play(with_hooks("Never", pre_stop));
    play.run();
    EXPECT_THAT(play.exit(0), ElementsAre("remove"));
}

TEST(Deletion, AShorterOneReplacesALongerOne) {
    Play play(with_hooks("Always", pre_stop));
    play.run();
    play.send(Changed{2, true, seconds(60)});
    EXPECT_THAT(play.send(Changed{3, true, seconds(5)}), ElementsAre("stop node 5"));
    EXPECT_THAT(play.send(Changed{4, true, seconds(60)}), IsEmpty());
    EXPECT_THAT(play.hook_ended(HookKind::pre_stop, true, seconds(1)), IsEmpty());
}

Json with_sidecars() {
    Json pod = a_pod("Always");
    for (const char* name : {"first", "second"})
        pod["spec"]["initContainers"].push_back(
            {{"name", name}, {"image", "img"}, {"restartPolicy", "Always"}});
    return pod;
}

Play with_sidecars_running() {
    Play play(with_sidecars());
    play.to_sandbox();
    for (const char* name : {"first", "second", "node"}) play.started(name);
    return play;
}

TEST(Sidecars, EndAfterTheAppsInReverseOrder) {
    Play play = with_sidecars_running();
    EXPECT_THAT(play.send(Changed{2, true, seconds(30)}), ElementsAre("stop node 30"));
    EXPECT_THAT(play.events, ElementsAre("Killing: Stopping container first",
                                         "Killing: Stopping container second",
                                         "Killing: Stopping container node"));
    EXPECT_THAT(play.exit(0, 0, seconds(10)), ElementsAre("stop second 20"));
    EXPECT_THAT(play.exit(0, 0, seconds(4), "second"), ElementsAre("stop first 16"));
    EXPECT_THAT(play.exit(0, 0, seconds(1), "first"), ElementsAre("remove"));
}

TEST(Sidecars, AreNotKeptWaitingBeyondTheGrace) {
    Play play = with_sidecars_running();
    play.send(Changed{2, true, seconds(30)});
    ASSERT_TRUE(play.look);
    EXPECT_EQ(*play.look - play.now, seconds(30));
    EXPECT_THAT(play.tick(seconds(30)), ElementsAre("stop first 2", "stop second 2"));
}

TEST(Sidecars, RestartWhileThePodRuns) {
    Play play = with_sidecars_running();
    EXPECT_THAT(play.exit(1, 0, seconds(1), "first"), ElementsAre("start first 1"));
    EXPECT_EQ(play.state.phase, "Running");
}

TEST(Sidecars, HoldUpWhatFollowsUntilTheirStartupProbePasses) {
    Json pod = with_sidecars();
    pod["spec"]["initContainers"][0]["startupProbe"] = {{"tcpSocket", {{"port", 1}}}};
    Play play(pod);
    play.to_sandbox();
    EXPECT_THAT(play.started("first"), ElementsAre("Startup first"));
    EXPECT_THAT(play.send(Probed{"first", 0, ProbeKind::startup, true}),
                ElementsAre("start second 0"));
}

}  // namespace
}  // namespace shed
