// Paths, discovery, reviews.
#include "fixture.hpp"

namespace shed::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

struct Path {
    const char* method;
    const char* path;
    Verb verb;
    const char* plural;
    const char* ns;
    const char* name;
    const char* subresource;
};

TEST(ParsePath, KnowsEveryForm) {
    const Path paths[] = {
        {"GET", "/api/v1/pods", Verb::list, "pods", "", "", ""},
        {"GET", "/api/v1/namespaces/a/pods", Verb::list, "pods", "a", "", ""},
        {"GET", "/api/v1/namespaces/a/pods/", Verb::list, "pods", "a", "", ""},
        {"POST", "/api/v1/namespaces/a/pods", Verb::create, "pods", "a", "", ""},
        {"DELETE", "/api/v1/namespaces/a/pods", Verb::remove_collection, "pods", "a", "", ""},
        {"GET", "/api/v1/namespaces/a/pods/p", Verb::get, "pods", "a", "p", ""},
        {"PUT", "/api/v1/namespaces/a/pods/p", Verb::update, "pods", "a", "p", ""},
        {"PATCH", "/api/v1/namespaces/a/pods/p", Verb::patch, "pods", "a", "p", ""},
        {"DELETE", "/api/v1/namespaces/a/pods/p", Verb::remove, "pods", "a", "p", ""},
        {"GET", "/api/v1/namespaces/a/pods/p/log", Verb::get, "pods", "a", "p", "log"},
        {"POST", "/api/v1/namespaces/a/pods/p/exec", Verb::create, "pods", "a", "p", "exec"},
        {"PUT", "/api/v1/namespaces/a/pods/p/status", Verb::update, "pods", "a", "p", "status"},
        {"GET", "/api/v1/namespaces", Verb::list, "namespaces", "", "", ""},
        {"GET", "/api/v1/namespaces/a", Verb::get, "namespaces", "", "a", ""},
        {"PUT", "/api/v1/namespaces/a/finalize", Verb::update, "namespaces", "", "a", "finalize"},
        {"GET", "/api/v1/nodes/n", Verb::get, "nodes", "", "n", ""},
        {"GET", "/apis/trainer.kubeflow.org/v1alpha1/clustertrainingruntimes/r", Verb::get,
         "clustertrainingruntimes", "", "r", ""},
        {"POST", "/apis/trainer.kubeflow.org/v1alpha1/namespaces/a/trainjobs/x", Verb::create,
         "trainjobs", "a", "", ""},
        {"POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", Verb::create,
         "selfsubjectaccessreviews", "", "", ""},
    };
    for (const Path& p : paths) {
        const auto request = parse_path(p.method, p.path, {});
        ASSERT_TRUE(request) << p.path << ": " << request.error().message;
        EXPECT_EQ(request->verb, p.verb) << p.path;
        EXPECT_EQ(request->kind->plural, p.plural) << p.path;
        EXPECT_EQ(request->ns, p.ns) << p.path;
        EXPECT_EQ(request->name, p.name) << p.path;
        EXPECT_EQ(request->subresource, p.subresource) << p.path;
    }
}

struct BadPath {
    const char* method;
    const char* path;
    int status;
    const char* text;
};

TEST(ParsePath, RefusesAsTheRealServerDoes) {
    const BadPath paths[] = {
        {"GET", "/apis/nope.io/v1/x", 404, "404 page not found\n"},
        {"GET", "/nope", 404, "404 page not found\n"},
        {"GET", "/api/v1/nopes", 404, "the server could not find the requested resource"},
        {"GET", "/apis/batch/v9/jobs", 404, "the server could not find the requested resource"},
        {"GET", "/apis/trainer.kubeflow.org/v1alpha1/nopes", 404, "404 page not found\n"},
        {"DELETE", "/apis/trainer.kubeflow.org/v1alpha1/trainjobs", 404, "404 page not found\n"},
        {"POST", "/api/v1/pods", 405, "does not allow this method"},
        {"POST", "/version", 405, "does not allow this method"},
        {"PUT", "/apis/trainer.kubeflow.org/v1alpha1/namespaces/a/trainjobs", 400,
         "name must be provided"},
        {"FOO", "/apis/trainer.kubeflow.org/v1alpha1/namespaces/a/trainjobs", 405,
         " is not supported on resources of kind"},
        {"GET", "/api/v1/namespaces/a/pods/p/nope", 404, "could not find the requested resource"},
        {"DELETE", "/api/v1/namespaces", 405, "does not allow this method"},
    };
    for (const BadPath& p : paths) {
        const auto request = parse_path(p.method, p.path, {});
        ASSERT_FALSE(request) << p.path;
        const Response response = response_of(request.error());
        EXPECT_EQ(response.status, p.status) << p.path;
        EXPECT_THAT(response.body, HasSubstr(p.text)) << p.path;
    }
}

TEST(Flag, TakesGosAndPythonsWords) {
    Request request;
    request.query = {{"a", "true"}, {"b", "True"}, {"c", "1"}, {"d", "false"},
                     {"e", "False"}, {"f", "0"}, {"g", "maybe"}};
    for (const char* on : {"a", "b", "c", "g"}) EXPECT_TRUE(request.flag(on)) << on;
    for (const char* off : {"d", "e", "f", "absent"}) EXPECT_FALSE(request.flag(off)) << off;
}

TEST(Discovery, PlainDocumentsWithAndWithoutATrailingSlash) {
    Cluster c;
    EXPECT_EQ(string_at(c.get("/version"), "gitVersion"), "v1.36.3");
    EXPECT_EQ(c.get("/version/"), c.get("/version"));
    EXPECT_EQ(c.get("/api/")["versions"], Json::array({"v1"}));
    std::vector<std::string> groups;
    const Json list = c.get("/apis/");
    for (const Json& group : list["groups"]) groups.push_back(string_at(group, "name"));
    EXPECT_THAT(groups, Contains("trainer.kubeflow.org"));
    const Json trainer = c.get("/apis/trainer.kubeflow.org/v1alpha1/");
    std::vector<std::string> names;
    for (const Json& resource : trainer["resources"]) names.push_back(string_at(resource, "name"));
    EXPECT_THAT(names, ::testing::IsSupersetOf({"trainjobs", "trainjobs/status", "trainingruntimes"}));
    EXPECT_THAT(names, ::testing::Not(Contains("trainingruntimes/status")));
    EXPECT_EQ(string_at(c.get("/apis/batch"), "preferredVersion.groupVersion"), "batch/v1");
}

TEST(Discovery, AggregatedWhenAskedForInAnyOrderOfParameters) {
    Cluster c;
    for (const char* accept :
         {"application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json",
          "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"}) {
        Call call{"GET", "/apis"};
        call.accept = accept;
        const Response response = c.send(call);
        EXPECT_EQ(response.content_type,
                  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
        const std::string tag = header_of(response, "ETag");
        EXPECT_FALSE(tag.empty());
        EXPECT_EQ(c.api.discovery("/apis", accept, tag)->status, 304);
        EXPECT_EQ(string_at(Json::parse(response.body), "apiVersion"), "apidiscovery.k8s.io/v2");
    }
    Call old{"GET", "/api"};
    old.accept = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    EXPECT_EQ(string_at(Json::parse(c.send(old).body), "apiVersion"), "apidiscovery.k8s.io/v2beta1");
}

TEST(OpenApi, IndexLeadsToHashedDocuments) {
    Cluster c;
    const Json index = c.get("/openapi/v3");
    const std::string url = string_at(index["paths"]["apis/batch/v1"], "serverRelativeURL");
    ASSERT_THAT(url, HasSubstr("/openapi/v3/apis/batch/v1?hash="));
    const auto document = c.api.discovery(url.substr(0, url.find('?')), "", "");
    ASSERT_TRUE(document);
    EXPECT_EQ(c.api.discovery(url.substr(0, url.find('?')), "", header_of(*document, "ETag"))->status,
              304);
    EXPECT_EQ(c.api.discovery("/openapi/v2", "", "")->body.size(), 5u);
}

TEST(Reviews, AllowEverything) {
    Cluster c;
    const Response can = c.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                                {{"spec", {{"resourceAttributes", {{"verb", "list"}}}}}});
    EXPECT_EQ(can.status, 201);
    EXPECT_EQ(at_path(Json::parse(can.body), "status.allowed"), true);
    const Response who = c.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", Json::object());
    EXPECT_EQ(string_at(Json::parse(who.body), "status.userInfo.username"), "system:admin");
}

TEST(Tables, PodStatusIsKubectls) {
    struct Row {
        const char* name;
        Json status;
        const char* shown;
        const char* ready;
        const char* restarts;
    };
    const auto waiting = [](const char* reason) {
        return Json{{"name", "c"}, {"restartCount", 0}, {"state", {{"waiting", {{"reason", reason}}}}}};
    };
    const Json running = {{"name", "c"}, {"ready", true}, {"restartCount", 2},
                          {"state", {{"running", Json::object()}}},
                          {"lastState", {{"terminated", {{"finishedAt", "2026-11-23T06:05:05Z"}}}}}};
    const Json signalled = {{"name", "c"}, {"restartCount", 0},
                            {"state", {{"terminated", {{"signal", 9}, {"exitCode", 137}}}}}};
    const Json init_failed = {{"name", "i"}, {"restartCount", 0},
                              {"state", {{"terminated", {{"reason", "Error"}, {"exitCode", 1}}}}}};
    const Json init_running = {{"name", "i"}, {"restartCount", 0}, {"state", {{"running", Json::object()}}}};
    const Row rows[] = {
        {"new", {{"phase", "Pending"}}, "Pending", "0/1", "0"},
        {"creating", {{"phase", "Pending"}, {"containerStatuses", Json::array({waiting("ContainerCreating")})}},
         "ContainerCreating", "0/1", "0"},
        {"crash", {{"phase", "Running"}, {"containerStatuses", Json::array({waiting("CrashLoopBackOff")})}},
         "CrashLoopBackOff", "0/1", "0"},
        {"running", {{"phase", "Running"}, {"containerStatuses", Json::array({running})}}, "Running",
         "1/1", "2 (5s ago)"},
        {"killed", {{"phase", "Failed"}, {"containerStatuses", Json::array({signalled})}}, "Signal:9",
         "0/1", "0"},
        {"evicted", {{"phase", "Failed"}, {"reason", "Evicted"}}, "Evicted", "0/1", "0"},
        {"init", {{"phase", "Pending"}, {"initContainerStatuses", Json::array({init_running})}}, "Init:0/1",
         "0/1", "0"},
        {"initfail", {{"phase", "Pending"}, {"initContainerStatuses", Json::array({init_failed})}},
         "Init:Error", "0/1", "0"},
    };
    Cluster c;
    const Json container = {{"name", "c"}}, init = {{"name", "i"}};
    for (const Row& row : rows)
        c.store.put({{"apiVersion", "v1"},
                     {"kind", "Pod"},
                     {"metadata", {{"name", row.name}, {"namespace", "default"},
                                   {"creationTimestamp", "2026-11-23T06:05:10Z"}}},
                     {"spec", {{"containers", Json::array({container})},
                               {"initContainers", Json::array({init})}}},
                     {"status", row.status}});
    for (const Row& row : rows) {
        Call call{"GET", std::string("/api/v1/namespaces/default/pods/") + row.name};
        call.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
        const Json table = Json::parse(c.send(call).body);
        const Json& cells = table["rows"][0]["cells"];
        EXPECT_EQ(cells[1], row.ready) << row.name;
        EXPECT_EQ(cells[2], row.shown) << row.name;
        EXPECT_EQ(cells[3], row.restarts) << row.name;
    }
}

TEST(Tables, EveryServedKindHasOneRowPerObjectWithACellPerColumn) {
    Cluster c;
    for (const Kind& kind : all_kinds()) {
        if (kind.create_only || kind.group == "events.k8s.io") continue;
        Json object = {{"apiVersion", kind.api_version()},
                       {"kind", kind.kind},
                       {"metadata", {{"name", "x"}, {"creationTimestamp", "2026-11-23T06:05:10Z"}}}};
        if (kind.namespaced) object["metadata"]["namespace"] = "default";
        c.store.put(object);
        std::string path = kind.group.empty() ? "/api/v1/" : "/apis/" + kind.api_version() + "/";
        Call call{"GET", path + std::string(kind.plural)};
        call.accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
        const Json table = Json::parse(c.send(call).body);
        ASSERT_FALSE(table["rows"].empty()) << kind.plural;
        EXPECT_EQ(table["rows"][0]["cells"].size(), table["columnDefinitions"].size()) << kind.plural;
    }
}

}  // namespace
}  // namespace shed::test
