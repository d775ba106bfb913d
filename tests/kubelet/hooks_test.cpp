// Lifecycle hooks, gRPC probes and refusals, in the kubelet.
#include "tests/kubelet/kubelet_fixture.hpp"

namespace shed {
namespace {

using testing::Contains;
using testing::HasSubstr;

TEST_F(KubeletTest, HooksRunInTheirContainer) {
    std::vector<std::string> ran;
    paper.answer_commands([&](const ExecRequest& request) {
        ran.push_back(request.container + " " + request.spec.back().back());
        return Result<ExecResult>(ExecResult{});
    });
    Json hooked = a_pod("a", "Always");
    hooked["spec"]["containers"][0]["lifecycle"] = {
        {"postStart", {{"exec", {{"command", {"greet"}}}}}},
        {"preStop", {{"exec", {{"command", {"drain"}}}}}}};
    add(hooked);
    EXPECT_EQ(phase("a"), "Running");
    EXPECT_THAT(ran, testing::ElementsAre("main greet"));
    client.ask_deletion(key("a"), 30);
    settle();
    EXPECT_THAT(ran, testing::ElementsAre("main greet", "main drain"));
    EXPECT_TRUE(pod("a").is_null());
}

TEST_F(KubeletTest, AFailedPostStartEndsTheContainerWhichRestarts) {
    paper.behave([](const ContainerRequest&) {
        PaperRuntime::Behaviour stays;
        stays.stop_code = 137;
        return stays;
    });
    int left = 1;
    paper.answer_commands([&](const ExecRequest&) {
        ExecResult result;
        result.code = left-- > 0 ? 3 : 0;
        result.output = "secret";
        return Result<ExecResult>(result);
    });
    Json hooked = a_pod("a", "Always");
    hooked["spec"]["containers"][0]["lifecycle"] = {
        {"postStart", {{"exec", {{"command", {"greet", "all"}}}}}}};
    add(hooked);
    EXPECT_THAT(client.events(), Contains("FailedPostStartHook: PostStartHook failed"));
    EXPECT_THAT(client.events(), Contains("Killing: FailedPostStartHook"));
    EXPECT_EQ(phase("a"), "Running") << "the second try passed";
    EXPECT_EQ(pod("a")["status"]["containerStatuses"][0]["restartCount"], 1);
}

TEST_F(KubeletTest, ASleepingPreStopHoldsUpTheSignal) {
    Json hooked = a_pod("a", "Always");
    hooked["spec"]["containers"][0]["lifecycle"] = {{"preStop", {{"sleep", {{"seconds", 5}}}}}};
    add(hooked);
    client.ask_deletion(key("a"), 30);
    settle();
    EXPECT_TRUE(paper.running("u-a", "main"));
    pass(std::chrono::milliseconds(4999));
    EXPECT_TRUE(paper.running("u-a", "main"));
    pass(std::chrono::milliseconds(1));
    EXPECT_FALSE(paper.running("u-a", "main"));
    EXPECT_TRUE(pod("a").is_null());
}

TEST_F(KubeletTest, ATcpHookFailsAsOnARealNode) {
    Json hooked = a_pod("a");
    hooked["spec"]["containers"][0]["lifecycle"] = {{"postStart", {{"tcpSocket", {{"port", 1}}}}}};
    add(hooked);
    EXPECT_THAT(client.events(), Contains("FailedPostStartHook: PostStartHook failed"));
    EXPECT_EQ(phase("a"), "Failed");
}

TEST_F(KubeletTest, GrpcProbesPassWhenTheServiceServes) {
    int status = 2;
    paper.answer_probes([&](const std::string&, int) -> Result<int> { return status; });
    Json probed = a_pod("a");
    probed["spec"]["containers"][0]["readinessProbe"] = {{"grpc", {{"port", 5000}}}};
    add(probed);
    EXPECT_FALSE(condition_true(pod("a"), "Ready"));
    EXPECT_THAT(client.events(), Contains("Unhealthy: Readiness probe failed: service unhealthy "
                                          "(responded with \"NOT_SERVING\")"));
    status = 1;
    pass(std::chrono::milliseconds(50));
    EXPECT_TRUE(condition_true(pod("a"), "Ready"));
}

TEST_F(KubeletTest, APodItCannotRunIsRejected) {
    Json handlerless = a_pod("a");
    handlerless["spec"]["containers"][0]["livenessProbe"] = {{"periodSeconds", 1}};
    add(handlerless);
    EXPECT_EQ(phase("a"), "Failed");
    EXPECT_THAT(string_at(pod("a"), "status.message"), HasSubstr("livenessProbe"));
    client.ask_deletion(key("a"), 30);
    settle();
    EXPECT_TRUE(pod("a").is_null());
}

}  // namespace
}  // namespace shed
