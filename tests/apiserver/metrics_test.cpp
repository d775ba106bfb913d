// metrics.k8s.io as `kubectl top` asks for it.
#include "fakes/apiserver/metrics.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Time now = *parse_time("2026-11-23T06:05:10Z");

class KnownUsage final : public PodMetrics {
public:
    std::vector<Pod> usage() override { return pods; }
    std::vector<Pod> pods;
};

class MetricsTest : public testing::Test {
protected:
    MetricsTest() {
        add_node("n1");
        add_node("n2");
        add_pod("a", "one", "n1", "Running");
        add_pod("b", "two", "n1", "Running");
        add_pod("b", "ended", "n1", "Succeeded");
        add_pod("b", "unmeasured", "n2", "Running");
        used("one", {{"main", 158'076'087, 5'001'216}, {"side", 2'000'000, 1'048'576}});
        used("two", {{"main", 0, 4096}});
        used("ended", {{"main", 7, 4096}});
    }

    void add_node(const std::string& name) {
        Json node = {{"apiVersion", "v1"}, {"kind", "Node"}};
        node["metadata"] = {{"name", name}, {"labels", {{"zone", name}}}};
        store.put(std::move(node));
    }
    void add_pod(const std::string& ns, const std::string& name, const std::string& node,
                 const std::string& phase) {
        Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}};
        pod["metadata"] = {
            {"name", name}, {"namespace", ns}, {"uid", name}, {"labels", {{"app", name}}}};
        pod["spec"] = {{"nodeName", node}};
        pod["status"] = {{"phase", phase}};
        store.put(std::move(pod));
    }
    void used(const std::string& uid, std::vector<PodMetrics::Container> containers) {
        PodMetrics::Pod pod;
        pod.uid = uid;
        pod.window = std::chrono::milliseconds(15'034);
        pod.containers = std::move(containers);
        metrics.pods.push_back(std::move(pod));
    }
    Response get(const std::string& target, std::string_view method = "GET") {
        const auto answer = answer_metrics(store, metrics, method,
                                           *parse_target("/apis/metrics.k8s.io" + target), now);
        return answer.value_or(Response());
    }
    Json json(const std::string& target) { return Json::parse(get(target).body); }
    static std::vector<std::string> names(const Json& list) {
        std::vector<std::string> found;
        for (const Json& item : list["items"]) found.push_back(string_at(item, "metadata.name"));
        return found;
    }

    Store store;
    KnownUsage metrics;
};

TEST_F(MetricsTest, OfAPodAreItsContainers) {
    const Json expected = Json::parse(R"({
        "kind": "PodMetrics", "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {"name": "one", "namespace": "a", "labels": {"app": "one"},
                     "creationTimestamp": "2026-11-23T06:05:10Z"},
        "timestamp": "2026-11-23T06:05:10Z", "window": "15.034s",
        "containers": [{"name": "main", "usage": {"cpu": "158076087n", "memory": "4884Ki"}},
                       {"name": "side", "usage": {"cpu": "2m", "memory": "1Mi"}}]})");
    EXPECT_EQ(json("/v1beta1/namespaces/a/pods/one"), expected);
}

TEST_F(MetricsTest, AreThoseOfRunningPodsThatWereMeasured) {
    const Json all = json("/v1beta1/pods");
    EXPECT_EQ(all["kind"], "PodMetricsList");
    EXPECT_THAT(names(all), ElementsAre("one", "two"));
    EXPECT_FALSE(all["items"][0].contains("kind"));
    EXPECT_THAT(names(json("/v1beta1/namespaces/b/pods")), ElementsAre("two"));
    EXPECT_THAT(names(json("/v1beta1/pods?labelSelector=app%3Dtwo")), ElementsAre("two"));
    EXPECT_THAT(names(json("/v1beta1/pods?fieldSelector=metadata.name%3Done")), ElementsAre("one"));
}

TEST_F(MetricsTest, OfANodeAreTheSumOfItsPods) {
    const Json all = json("/v1beta1/nodes");
    EXPECT_EQ(all["kind"], "NodeMetricsList");
    EXPECT_THAT(names(all), ElementsAre("n1", "n2"));
    EXPECT_EQ(all["items"][0]["usage"]["cpu"], "160076094n");
    EXPECT_EQ(all["items"][0]["usage"]["memory"], "5916Ki");
    EXPECT_EQ(all["items"][1]["usage"]["cpu"], "0");
    EXPECT_EQ(all["items"][1]["window"], "0s");
    EXPECT_EQ(json("/v1beta1/nodes/n2")["kind"], "NodeMetrics");
    EXPECT_THAT(names(json("/v1beta1/nodes?labelSelector=zone%3Dn2")), ElementsAre("n2"));
}

TEST_F(MetricsTest, AreNotFoundInMetricsServersWords) {
    EXPECT_EQ(get("/v1beta1/namespaces/b/pods/unmeasured").status, 404);
    EXPECT_THAT(get("/v1beta1/namespaces/b/pods/unmeasured").body,
                HasSubstr(R"(podmetrics.metrics.k8s.io \"b/unmeasured\" not found)"));
    EXPECT_THAT(get("/v1beta1/namespaces/b/pods/none").body,
                HasSubstr(R"(pods \"none\" not found)"));
    for (const char* path : {"/v1", "/v1beta1/jobs", "/v1beta1/namespaces/a/nodes"})
        EXPECT_EQ(get(path).status, 404) << path;
    EXPECT_EQ(get("/v1beta1/pods", "DELETE").status, 405);
    EXPECT_EQ(get("/v1beta1/pods?labelSelector=%21%21").status, 400);
}

TEST_F(MetricsTest, SayWindowsAsGoDoes) {
    for (const auto& [ms, text] :
         {std::pair(0, "0s"), std::pair(250, "250ms"), std::pair(1500, "1.5s"),
          std::pair(65'000, "1m5s"), std::pair(3'600'001, "1h0m0.001s")}) {
        metrics.pods.front().window = std::chrono::milliseconds(ms);
        EXPECT_EQ(json("/v1beta1/namespaces/a/pods/one")["window"], text);
    }
}

TEST_F(MetricsTest, AreAGroupLikeOthers) {
    EXPECT_EQ(json("")["kind"], "APIGroup");
    EXPECT_EQ(json("/v1beta1")["resources"][1]["name"], "pods");
    EXPECT_FALSE(
        answer_metrics(store, metrics, "GET", *parse_target("/apis/metrics.k8s.iox"), now));
    Rng rng(1);
    Api api(store, rng);
    const auto plain = with_metrics_group(*api.discovery("/apis", "application/json", ""), "");
    EXPECT_EQ(Json::parse(plain.body)["groups"].back()["name"], "metrics.k8s.io");
    const char* aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const auto found = with_metrics_group(*api.discovery("/apis", aggregated, ""), "");
    const Json group = Json::parse(found.body)["items"].back();
    EXPECT_EQ(group["metadata"]["name"], "metrics.k8s.io");
    EXPECT_EQ(group["versions"][0]["resources"][1]["responseKind"]["kind"], "PodMetrics");
    std::string tag;
    for (const auto& [name, value] : found.headers)
        if (name == "ETag") tag = value;
    const auto again = with_metrics_group(*api.discovery("/apis", aggregated, ""), tag);
    EXPECT_EQ(again.status, 304);
    EXPECT_EQ(again.body, "");
}

}  // namespace
}  // namespace shed
