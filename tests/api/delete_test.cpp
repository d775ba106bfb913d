// Deletion: grace, finalizers, propagation, preconditions, namespaces.
#include "fixture.hpp"

namespace shed::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* pods = "/api/v1/namespaces/default/pods";
constexpr const char* jobs = "/apis/batch/v1/namespaces/default/jobs";

Json pod_named(const std::string& name) {
    const Json container = {{"name", "c"}, {"image", "i"}};
    return {{"metadata", {{"name", name}}},
            {"spec",
             {{"terminationGracePeriodSeconds", 30}, {"containers", Json::array({container})}}}};
}

void bind(Cluster& c, const std::string& pod) {
    const Response response = c.post(std::string(pods) + "/" + pod + "/binding",
                                     {{"metadata", {{"name", pod}}}, {"target", {{"name", "n"}}}});
    ASSERT_EQ(response.status, 201) << response.body;
}

std::vector<std::string> event_types(Cluster& c, const Kind& kind, ResourceVersion since) {
    std::vector<std::string> types;
    for (const StoreEvent& e : c.store.events_since(kind, since, 100).events)
        types.push_back(e.type == StoreEvent::Type::added      ? "added"
                        : e.type == StoreEvent::Type::modified ? "modified"
                                                               : "deleted");
    return types;
}

TEST(Delete, AnswersSuccessWithTheUid) {
    Cluster c;
    const Json map = Json::parse(c.post(maps, config_map("a")).body);
    const Json status = Json::parse(c.remove(std::string(maps) + "/a").body);
    EXPECT_EQ(string_at(status, "status"), "Success");
    EXPECT_EQ(string_at(status, "details.kind"), "configmaps");
    EXPECT_EQ(status["details"]["uid"], map["metadata"]["uid"]);
    EXPECT_EQ(c.remove(std::string(maps) + "/a").status, 404);
}

TEST(Delete, AnUnscheduledPodGoesAtOnce) {
    Cluster c;
    c.post(pods, pod_named("p"));
    const auto before = c.store.version();
    const Response response = c.remove(std::string(pods) + "/p");
    EXPECT_EQ(string_at(Json::parse(response.body), "kind"), "Pod");
    EXPECT_EQ(int_at(Json::parse(response.body), "metadata.deletionGracePeriodSeconds", -1), 0);
    EXPECT_EQ(c.get(std::string(pods) + "/p")["code"], 404);
    EXPECT_THAT(event_types(c, kind_of("v1", "Pod"), before), ElementsAre("modified", "deleted"));
}

TEST(Delete, AScheduledPodGetsItsGraceWhichMayOnlyShrink) {
    Cluster c;
    c.post(pods, pod_named("p"));
    bind(c, "p");
    const std::string path = std::string(pods) + "/p";
    Json pod = Json::parse(c.remove(path).body);
    EXPECT_EQ(string_at(pod, "metadata.deletionTimestamp"), "2026-11-23T06:05:40Z");
    EXPECT_EQ(int_at(pod, "metadata.deletionGracePeriodSeconds"), 30);
    EXPECT_EQ(int_at(pod, "metadata.generation"), 2);
    pod = Json::parse(c.remove(path, {{"gracePeriodSeconds", 60}}).body);
    EXPECT_EQ(int_at(pod, "metadata.deletionGracePeriodSeconds"), 30);
    pod = Json::parse(c.remove(path, {{"gracePeriodSeconds", 1}}).body);
    EXPECT_EQ(string_at(pod, "metadata.deletionTimestamp"), "2026-11-23T06:05:11Z");
    EXPECT_EQ(int_at(pod, "metadata.generation"), 2);
    c.remove(path, {{"gracePeriodSeconds", 0}});
    EXPECT_EQ(c.get(path)["code"], 404);
}

TEST(Delete, APodWithAFinalizerStaysUntilItIsTakenAway) {
    Cluster c;
    Json pod = pod_named("p");
    pod["metadata"]["finalizers"] = {"batch.kubernetes.io/job-tracking"};
    c.post(pods, pod);
    bind(c, "p");
    const std::string path = std::string(pods) + "/p";
    c.remove(path, {{"gracePeriodSeconds", 0}});
    EXPECT_TRUE(c.get(path)["metadata"].contains("deletionTimestamp"));
    const Response last = c.merge(path, {{"metadata", {{"finalizers", nullptr}}}});
    EXPECT_EQ(last.status, 200);
    EXPECT_EQ(string_at(Json::parse(last.body), "metadata.name"), "p");
    EXPECT_EQ(c.get(path)["code"], 404);
}

TEST(Delete, NoFinalizerMayBeAddedToWhatIsBeingDeleted) {
    Cluster c;
    Json map = config_map("a");
    map["metadata"]["finalizers"] = {"a.io/x"};
    c.post(maps, map);
    const std::string path = std::string(maps) + "/a";
    const Json first = Json::parse(c.remove(path).body);
    EXPECT_EQ(Json::parse(c.remove(path).body), first);
    const Response added = c.merge(path, {{"metadata", {{"finalizers", {"a.io/x", "a.io/y"}}}}});
    EXPECT_EQ(added.status, 422);
    EXPECT_THAT(added.body, HasSubstr("no new finalizers can be added"));
    const Response again = c.post(maps, config_map("a"));
    EXPECT_EQ(again.status, 409);
    EXPECT_THAT(again.body, HasSubstr("object is being deleted: configmaps"));
}

struct Policy {
    const char* name;
    Json options;
    const char* finalizer;  // "" when the object goes at once
};
class Policies : public ::testing::TestWithParam<Policy> {};

TEST_P(Policies, LeaveTheirFinalizer) {
    Cluster c;
    c.post(maps, config_map("a"));
    const Json answer = Json::parse(c.remove(std::string(maps) + "/a", GetParam().options).body);
    const std::string finalizer = GetParam().finalizer;
    if (finalizer.empty()) {
        EXPECT_EQ(string_at(answer, "status"), "Success");
    } else {
        EXPECT_EQ(at_path(answer, "metadata.finalizers"), Json::array({finalizer})) << answer;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Api, Policies,
    ::testing::Values(Policy{"none", Json::object(), ""},
                      Policy{"background", {{"propagationPolicy", "Background"}}, ""},
                      Policy{"foreground", {{"propagationPolicy", "Foreground"}}, "foregroundDeletion"},
                      Policy{"orphan", {{"propagationPolicy", "Orphan"}}, "orphan"},
                      Policy{"old_orphan", {{"orphanDependents", true}}, "orphan"}),
    [](const auto& row) { return row.param.name; });

TEST(Delete, AJobOrphansItsPodsUnlessToldOtherwiseAndWarns) {
    Cluster c;
    const Json container = {{"name", "c"}, {"image", "i"}};
    const Json spec = {{"suspend", true},
                       {"template",
                        {{"spec",
                          {{"restartPolicy", "Never"}, {"containers", Json::array({container})}}}}}};
    for (const char* name : {"j", "k"})
        c.post(jobs, {{"metadata", {{"name", name}}}, {"spec", spec}});
    const Response plain = c.remove(std::string(jobs) + "/j");
    EXPECT_EQ(at_path(Json::parse(plain.body), "metadata.finalizers"), Json::array({"orphan"}));
    EXPECT_THAT(header_of(plain, "Warning"), HasSubstr("child pods are preserved by default"));
    const Response told =
        c.remove(std::string(jobs) + "/k", {{"propagationPolicy", "Background"}});
    EXPECT_EQ(header_of(told, "Warning"), "");
    EXPECT_EQ(string_at(Json::parse(told.body), "status"), "Success");
}

TEST(Delete, PreconditionsAreChecked) {
    Cluster c;
    c.post(maps, config_map("a"));
    const std::string path = std::string(maps) + "/a";
    EXPECT_EQ(c.remove(path, {{"preconditions", {{"uid", "zzz"}}}}).status, 409);
    EXPECT_EQ(c.remove(path, {{"preconditions", {{"resourceVersion", "1"}}}}).status, 409);
    EXPECT_EQ(c.get(path)["kind"], "ConfigMap");
}

TEST(Delete, ACollectionAnswersWithWhatItWas) {
    Cluster c;
    for (const char* name : {"a", "b", "c"}) {
        Json map = config_map(name);
        map["metadata"]["labels"] = {{"keep", name[0] == 'c' ? "yes" : "no"}};
        c.post(maps, map);
    }
    const Json list = Json::parse(c.remove(std::string(maps) + "?labelSelector=keep%3Dno").body);
    EXPECT_EQ(string_at(list, "kind"), "ConfigMapList");
    EXPECT_EQ(list["items"].size(), 2u);
    EXPECT_EQ(c.get(maps)["items"].size(), 1u);
}

TEST(Namespace, IsTerminatingUntilItsFinalizerIsTakenAway) {
    Cluster c;
    c.post("/api/v1/namespaces", {{"metadata", {{"name", "x"}}}});
    const Json going = Json::parse(c.remove("/api/v1/namespaces/x").body);
    EXPECT_EQ(string_at(going, "status.phase"), "Terminating");
    EXPECT_FALSE(going["metadata"].contains("deletionGracePeriodSeconds"));
    const Response refused = c.post("/api/v1/namespaces/x/configmaps", config_map("a"));
    EXPECT_EQ(refused.status, 403);
    EXPECT_THAT(refused.body, HasSubstr("because it is being terminated"));
    Json done = going;
    done["spec"]["finalizers"] = Json::array();
    EXPECT_EQ(c.put("/api/v1/namespaces/x/finalize", done).status, 200);
    EXPECT_EQ(c.get("/api/v1/namespaces/x")["code"], 404);
}

TEST(Eviction, DeletesThePod) {
    Cluster c;
    c.post(pods, pod_named("p"));
    const Response response =
        c.post(std::string(pods) + "/p/eviction",
               {{"apiVersion", "policy/v1"}, {"kind", "Eviction"}, {"metadata", {{"name", "p"}}}});
    EXPECT_EQ(response.status, 201);
    EXPECT_EQ(c.get(std::string(pods) + "/p")["code"], 404);
}

TEST(Binding, HappensOnce) {
    Cluster c;
    c.post(pods, pod_named("p"));
    bind(c, "p");
    const Json pod = c.get(std::string(pods) + "/p");
    EXPECT_EQ(string_at(pod, "spec.nodeName"), "n");
    EXPECT_TRUE(condition_true(pod, "PodScheduled"));
    EXPECT_EQ(int_at(pod, "metadata.generation"), 1);
    const Response again = c.post(std::string(pods) + "/p/binding", {{"target", {{"name", "m"}}}});
    EXPECT_EQ(again.status, 409);
    EXPECT_THAT(again.body, HasSubstr("pod p is already assigned to node \\\"n\\\""));
}

TEST(Scale, ReadsAndWritesReplicas) {
    Cluster c;
    const std::string path = "/apis/apps/v1/namespaces/default/deployments";
    const Json container = {{"name", "c"}, {"image", "i"}};
    const Json labels = {{"a", "b"}};
    const Json pod = {{"metadata", {{"labels", labels}}},
                      {"spec", {{"containers", Json::array({container})}}}};
    c.post(path, {{"metadata", {{"name", "d"}}},
                  {"spec", {{"replicas", 2}, {"selector", {{"matchLabels", labels}}}, {"template", pod}}}});
    EXPECT_EQ(int_at(c.get(path + "/d/scale"), "spec.replicas"), 2);
    const Json scaled = Json::parse(c.merge(path + "/d/scale", {{"spec", {{"replicas", 5}}}}).body);
    EXPECT_EQ(string_at(scaled, "kind"), "Scale");
    EXPECT_EQ(int_at(scaled, "spec.replicas"), 5);
    EXPECT_EQ(int_at(c.get(path + "/d"), "metadata.generation"), 2);
}

TEST(Token, IsOpaqueAndKnownToTokenReview) {
    Cluster c;
    c.post("/api/v1/namespaces/default/serviceaccounts", {{"metadata", {{"name", "sa"}}}});
    const Response made =
        c.post("/api/v1/namespaces/default/serviceaccounts/sa/token", {{"spec", Json::object()}});
    ASSERT_EQ(made.status, 201) << made.body;
    const std::string token = string_at(Json::parse(made.body), "status.token");
    EXPECT_FALSE(token.empty());
    const Json review = Json::parse(
        c.post("/apis/authentication.k8s.io/v1/tokenreviews", {{"spec", {{"token", token}}}}).body);
    EXPECT_EQ(string_at(review, "status.user.username"), "system:serviceaccount:default:sa");
}

}  // namespace
}  // namespace shed::test
