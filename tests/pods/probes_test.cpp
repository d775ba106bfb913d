#include "tests/pods/play.hpp"

namespace shed {
namespace {

using namespace pod_event;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

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
    Play play(with_probe("livenessProbe",
                         {{"failureThreshold", 2}, {"terminationGracePeriodSeconds", 4}}));
    play.to_sandbox();
    EXPECT_THAT(play.started(), ElementsAre("Liveness node"));
    EXPECT_THAT(play.send(Probed{"node", 0, ProbeKind::liveness, false, "x"}), IsEmpty());
    play.tick(seconds(10));
    EXPECT_THAT(play.send(Probed{"node", 0, ProbeKind::liveness, false, "x"}),
                ElementsAre("stop node 4"));
    EXPECT_THAT(play.events,
                ElementsAre("Unhealthy: Liveness probe failed: x",
                            "Killing: Container node failed liveness probe, will be restarted"));
    EXPECT_THAT(play.exit(143), ElementsAre("start node 1"));
}

TEST(Probes, StartupHoldsTheOthersBack) {
    Json pod = with_probe("startupProbe", Json::object());
    pod["spec"]["containers"][0]["readinessProbe"] = {{"exec", {{"command", {"true"}}}}};
    Play play(pod);
    play.to_sandbox();
    EXPECT_THAT(play.started(), ElementsAre("Startup node"));
    EXPECT_THAT(play.send(Probed{"node", 0, ProbeKind::startup, true}),
                ElementsAre("Readiness node"));
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

TEST(Probes, KnowEveryHandler) {
    Json pod = a_pod();
    Json& container = pod["spec"]["containers"][0];
    container["ports"] = Json::array({{{"name", "web"}, {"containerPort", 8080}}});
    container["livenessProbe"] = {{"grpc", {{"port", 1}, {"service", "train"}}}};
    container["readinessProbe"] = {
        {"httpGet",
         {{"port", "web"},
          {"path", "healthz"},
          {"scheme", "HTTPS"},
          {"host", "1.2.3.4"},
          {"httpHeaders", Json::array({{{"name", "X-A"}, {"value", "b"}}})}}}};
    const auto state = first_state(*Object::make(pod), noon);
    ASSERT_TRUE(state);
    const ProbeSpec& grpc = *state->containers[0].probes[1];
    EXPECT_EQ(grpc.method, Handler::Method::grpc);
    EXPECT_EQ(grpc.service, "train");
    const ProbeSpec& http = *state->containers[0].probes[2];
    EXPECT_EQ(http.port, 8080);
    EXPECT_EQ(http.path, "/healthz");
    EXPECT_EQ(http.scheme, "HTTPS");
    EXPECT_EQ(http.host, "1.2.3.4");
    EXPECT_THAT(http.headers, ElementsAre(std::pair<std::string, std::string>("X-A", "b")));
}

TEST(Probes, WithoutAHandlerAreRefused) {
    Json pod = a_pod();
    pod["spec"]["containers"][0]["livenessProbe"] = {{"periodSeconds", 1}};
    const auto state = first_state(*Object::make(pod), noon);
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().message, testing::HasSubstr("livenessProbe"));
}

}  // namespace
}  // namespace shed
