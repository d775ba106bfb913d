// The kubelet against a small cluster and a runtime of paper.
#include "tests/kubelet/kubelet_fixture.hpp"

namespace shed {
namespace {

namespace asio = boost::asio;
using testing::Contains;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST_F(KubeletTest, RegistersItsNodeAndKeepsALease) {
    EXPECT_TRUE(kubelet->ready());
    const Json node = client.dom("Node", "", "n1");
    EXPECT_EQ(string_at(node["metadata"]["labels"], "kubernetes.io/os"),
              "");  // dots in keys are not paths
    EXPECT_EQ(node["metadata"]["labels"]["kubernetes.io/hostname"], "n1");
    EXPECT_EQ(node["status"]["allocatable"]["nvidia.com/gpu"], "8");
    EXPECT_TRUE(condition_true(node, "Ready"));
    const Key lease{&kind_of("coordination.k8s.io/v1", "Lease"), "kube-node-lease", "n1"};
    const std::string before = string_at(client.objects.at(lease)->dom(), "spec.renewTime");
    pass(std::chrono::seconds(10));
    EXPECT_NE(string_at(client.objects.at(lease)->dom(), "spec.renewTime"), before);
}

TEST_F(KubeletTest, APodRunsAndSucceeds) {
    add(a_pod("a"));
    EXPECT_EQ(phase("a"), "Running");
    EXPECT_EQ(string_at(pod("a"), "status.podIP"), "10.244.0.2");
    EXPECT_TRUE(condition_true(pod("a"), "Ready"));
    EXPECT_TRUE(condition_true(pod("a"), "PodScheduled"));
    paper.end("u-a", "main", 0);
    settle();
    EXPECT_EQ(phase("a"), "Succeeded");
    EXPECT_TRUE(paper.sandboxes().empty());
    EXPECT_THAT(client.events(),
                UnorderedElementsAre("Pulled: Container image \"known\" already present on machine",
                                     "Created: Container created", "Started: Container started"));
}

TEST_F(KubeletTest, OtherNodesPodsAreLeftAlone) {
    Json other = a_pod("a");
    other["spec"]["nodeName"] = "n2";
    add(other);
    EXPECT_EQ(phase("a"), "Pending");
    EXPECT_EQ(kubelet->pods(), 0u);
}

TEST_F(KubeletTest, ACrashedContainerRestartsAfterItsBackOff) {
    add(a_pod("a", "OnFailure"));
    paper.end("u-a", "main", 1);
    settle();
    EXPECT_TRUE(paper.running("u-a", "main"));
    paper.end("u-a", "main", 1);
    settle();
    EXPECT_FALSE(paper.running("u-a", "main"));
    EXPECT_EQ(string_at(pod("a")["status"]["containerStatuses"][0], "state.waiting.reason"),
              "CrashLoopBackOff");
    pass(std::chrono::seconds(10));
    EXPECT_TRUE(paper.running("u-a", "main"));
    EXPECT_EQ(pod("a")["status"]["containerStatuses"][0]["restartCount"], 2);
}

TEST_F(KubeletTest, AContainerThatEndsBeforeItsStartIsAnsweredIsNotLost) {
    paper.behave([this](const ContainerRequest& request) {
        asio::post(io, [this, uid = request.pod_uid] { paper.end(uid, "main", 3); });
        return PaperRuntime::Behaviour{};
    });
    add(a_pod("a"));
    EXPECT_EQ(phase("a"), "Failed");
}

TEST_F(KubeletTest, UnknownImagesAreToldAndTriedAgain) {
    Json wrong = a_pod("a");
    wrong["spec"]["containers"][0]["image"] = "nobody/knows:1";
    add(wrong);
    EXPECT_EQ(string_at(pod("a")["status"]["containerStatuses"][0], "state.waiting.reason"),
              "ErrImagePull");
    pass(std::chrono::seconds(1));
    EXPECT_EQ(string_at(pod("a")["status"]["containerStatuses"][0], "state.waiting.reason"),
              "ImagePullBackOff");
    EXPECT_THAT(client.events(),
                Contains(HasSubstr("BackOff: Back-off pulling image \"nobody/knows:1\"")));
}

TEST_F(KubeletTest, MissingReferencesAreToldAndTriedAgain) {
    Json wanting = a_pod("a");
    wanting["spec"]["containers"][0]["env"] = Json::array(
        {{{"name", "X"}, {"valueFrom", {{"secretKeyRef", {{"name", "s"}, {"key", "k"}}}}}}});
    wanting["spec"]["volumes"] = Json::array({{{"name", "v"}, {"configMap", {{"name", "m"}}}}});
    add(wanting);
    EXPECT_THAT(
        client.events(),
        Contains(
            "FailedMount: MountVolume.SetUp failed for volume \"v\" : configmap \"m\" not found"));
    client.add({{"apiVersion", "v1"},
                {"kind", "ConfigMap"},
                {"metadata", {{"name", "m"}, {"namespace", "ns"}}}});
    pass(std::chrono::milliseconds(500));
    EXPECT_EQ(string_at(pod("a")["status"]["containerStatuses"][0], "state.waiting.reason"),
              "CreateContainerConfigError");
    client.add({{"apiVersion", "v1"},
                {"kind", "Secret"},
                {"metadata", {{"name", "s"}, {"namespace", "ns"}}},
                {"data", {{"k", "eA=="}}}});
    pass(std::chrono::seconds(10));
    EXPECT_EQ(phase("a"), "Running");
    EXPECT_THAT(paper.started().back().spec, Contains(SpecRecord{"env", "X=x"}));
}

TEST_F(KubeletTest, DeletionStopsThenRemovesThenDeletes) {
    add(a_pod("a", "Always"));
    client.ask_deletion(key("a"), 5);
    settle();
    EXPECT_TRUE(pod("a").is_null());
    EXPECT_EQ(kubelet->pods(), 0u);
    EXPECT_TRUE(paper.sandboxes().empty());
    EXPECT_THAT(paper.file_operations().back(),
                Contains(SpecRecord{"rmtree", directory + "/pods/u-a"}));
    EXPECT_THAT(client.events(), Contains("Killing: Stopping container main"));
}

TEST_F(KubeletTest, ThePodsLastStatusIsWrittenBeforeItsDeletion) {
    std::vector<std::string> phases;
    add(a_pod("a", "Always"));
    ListScope scope;
    scope.kind = &kind_of("v1", "Pod");
    tasks.spawn(
        "watch",
        [](FakeClient& from, ListScope of,
           std::vector<std::string>& into) -> asio::awaitable<void> {
            std::function<void(const WatchEvent&)> handler = [&into](const WatchEvent& event) {
                into.push_back((event.type == WatchEvent::Type::deleted ? "deleted " : "") +
                               string_at(event.object->dom(), "status.phase"));
            };
            co_await from.watch(std::move(of), 0, std::move(handler));
        }(client, scope, phases));
    settle();
    client.ask_deletion(key("a"), 5);
    settle();
    ASSERT_GE(phases.size(), 2u);
    EXPECT_EQ(phases[phases.size() - 2], "Failed");
    EXPECT_EQ(phases.back(), "deleted Failed");
}

TEST_F(KubeletTest, APodDeletedByForceIsStoppedToo) {
    add(a_pod("a", "Always"));
    client.erase(key("a"));
    settle();
    EXPECT_FALSE(paper.running("u-a", "main"));
    EXPECT_EQ(kubelet->pods(), 0u);
}

TEST_F(KubeletTest, AnEndedPodIsOnlyDeleted) {
    add(a_pod("a"));
    paper.end("u-a", "main", 0);
    settle();
    client.ask_deletion(key("a"), 30);
    settle();
    EXPECT_TRUE(pod("a").is_null());
    EXPECT_EQ(paper.started().size(), 1u);
}

TEST_F(KubeletTest, StatusWritesThatFailAreRepeated) {
    int refusals = 2;
    client.refuse = [&](const Key& about, const WriteOptions&) {
        return about.name == "a" && refusals-- > 0;
    };
    add(a_pod("a"));
    for (int i = 0; i < 5; ++i) pass(std::chrono::milliseconds(400));
    EXPECT_EQ(phase("a"), "Running");
}

TEST_F(KubeletTest, ReadinessFollowsTheProbe) {
    bool open = false;
    paper.answer_probes([&](const std::string& address, int port) -> Result<int> {
        EXPECT_EQ(address, "10.244.0.2");
        EXPECT_EQ(port, 2222);
        if (open) return 0;
        return Error{Reason::unavailable, "dial tcp 10.244.0.2:2222: connect: connection refused"};
    });
    Json probed = a_pod("a");
    probed["spec"]["containers"][0]["readinessProbe"] = {{"tcpSocket", {{"port", 2222}}},
                                                         {"initialDelaySeconds", 5}};
    add(probed);
    EXPECT_EQ(phase("a"), "Running");
    EXPECT_FALSE(condition_true(pod("a"), "Ready"));
    open = true;
    pass(std::chrono::milliseconds(50));
    EXPECT_TRUE(condition_true(pod("a"), "Ready"));
}

TEST_F(KubeletTest, APodsNameResolvesBeforeItsContainerStarts) {
    std::string dns_at_start;
    paper.behave([&](const ContainerRequest&) {
        dns_at_start = paper.dns();
        return PaperRuntime::Behaviour{};
    });
    client.add({{"apiVersion", "v1"},
                {"kind", "Service"},
                {"metadata", {{"name", "j"}, {"namespace", "ns"}}},
                {"spec",
                 {{"clusterIP", "None"},
                  {"publishNotReadyAddresses", true},
                  {"selector", {{"job", "j"}}}}}});
    add(a_pod("a"));
    EXPECT_THAT(dns_at_start, HasSubstr("a.j.ns.svc.cluster.local 10.244.0.2\n"));
    paper.end("u-a", "main", 0);
    settle();
    EXPECT_THAT(paper.dns(), testing::Not(HasSubstr("10.244.0.2")));
}

TEST_F(KubeletTest, APodItCannotRunIsRejected) {
    Json grpc = a_pod("a");
    grpc["spec"]["containers"][0]["livenessProbe"] = {{"grpc", {{"port", 1}}}};
    add(grpc);
    EXPECT_EQ(phase("a"), "Failed");
    EXPECT_THAT(string_at(pod("a"), "status.message"), HasSubstr("livenessProbe"));
    client.ask_deletion(key("a"), 30);
    settle();
    EXPECT_TRUE(pod("a").is_null());
}

}  // namespace
}  // namespace shed
