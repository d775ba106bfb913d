// get, create, update, patch: what a client sends and what it gets back.
#include "fixture.hpp"

namespace shed::test {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

std::string message_of(const Response& response) {
    return string_at(Json::parse(response.body), "message");
}

TEST(Create, GivesNameUidTimeAndVersion) {
    Cluster c;
    const Response response = c.post(maps, config_map("a"));
    ASSERT_EQ(response.status, 201) << response.body;
    const Json map = Json::parse(response.body);
    EXPECT_EQ(string_at(map, "kind"), "ConfigMap");
    EXPECT_EQ(string_at(map, "apiVersion"), "v1");
    EXPECT_EQ(string_at(map, "metadata.namespace"), "default");
    EXPECT_EQ(string_at(map, "metadata.creationTimestamp"), "2026-11-23T06:05:10Z");
    EXPECT_EQ(string_at(map, "metadata.uid").size(), 36u);
    EXPECT_EQ(string_at(map, "metadata.resourceVersion"), std::to_string(c.store.version()));
    EXPECT_EQ(c.get(std::string(maps) + "/a"), map);
}

TEST(Create, MakesANameFromGenerateName) {
    Cluster c;
    const Json map =
        Json::parse(c.post(maps, {{"metadata", {{"generateName", "gen-"}}}}).body);
    EXPECT_THAT(string_at(map, "metadata.name"), MatchesRegex("gen-[bcdfghjklmnpqrstvwxz2456789]{5}"));
    const Json cut = Json::parse(
        c.post(maps, {{"metadata", {{"generateName", std::string(70, 'g')}}}}).body);
    EXPECT_EQ(string_at(cut, "metadata.name").size(), 63u);
}

TEST(Create, CountsGenerationsOnlyWhereTheKindHasThem) {
    Cluster c;
    const Json map = Json::parse(c.post(maps, config_map("a")).body);
    EXPECT_FALSE(map["metadata"].contains("generation"));
    const Json pod = {{"metadata", {{"name", "p"}}},
                      {"spec", {{"containers", Json::array({{{"name", "c"}, {"image", "i"}}})}}}};
    const Json made = Json::parse(c.post("/api/v1/namespaces/default/pods", pod).body);
    EXPECT_EQ(int_at(made, "metadata.generation"), 1);
    EXPECT_EQ(string_at(made, "status.phase"), "Pending");
}

TEST(Create, DryRunStoresNothing) {
    Cluster c;
    const auto before = c.store.version();
    const Response response = c.post(std::string(maps) + "?dryRun=All", config_map("a"));
    EXPECT_EQ(response.status, 201);
    EXPECT_FALSE(Json::parse(response.body)["metadata"].contains("resourceVersion"));
    EXPECT_EQ(c.store.version(), before);
}

struct BadCreate {
    const char* name;
    const char* target;
    Json body;
    int status;
    const char* message;
};

class BadCreates : public ::testing::TestWithParam<BadCreate> {};

TEST_P(BadCreates, AnswersAsTheRealServer) {
    Cluster c;
    c.post(maps, config_map("there"));
    const BadCreate& bad = GetParam();
    const Response response = c.post(bad.target, bad.body);
    EXPECT_EQ(response.status, bad.status) << response.body;
    EXPECT_THAT(message_of(response), HasSubstr(bad.message));
}

INSTANTIATE_TEST_SUITE_P(
    Api, BadCreates,
    ::testing::Values(
        BadCreate{"exists", maps, config_map("there"), 409, "configmaps \"there\" already exists"},
        BadCreate{"missing_namespace", "/api/v1/namespaces/nons/configmaps", config_map("a"), 404,
                  "namespaces \"nons\" not found"},
        BadCreate{"other_namespace", maps,
                  {{"metadata", {{"name", "a"}, {"namespace", "other"}}}}, 400,
                  "the namespace of the provided object does not match the namespace sent on the "
                  "request"},
        BadCreate{"no_name", maps, {{"metadata", Json::object()}}, 422,
                  "ConfigMap \"\" is invalid: metadata.name: Required value: name or generateName is "
                  "required"},
        BadCreate{"bad_name", maps, config_map("A_b"), 422,
                  "metadata.name: Invalid value: \"A_b\": a lowercase RFC 1123 subdomain"},
        BadCreate{"bad_label", maps,
                  {{"metadata", {{"name", "a"}, {"labels", {{"a", "c d"}}}}}}, 422,
                  "metadata.labels: Invalid value: \"c d\""},
        BadCreate{"label_number", maps,
                  {{"metadata", {{"name", "a"}, {"labels", {{"a", 1}}}}}}, 400,
                  "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot "
                  "unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"},
        BadCreate{"bad_finalizer", maps,
                  {{"metadata", {{"name", "a"}, {"finalizers", {"x"}}}}}, 422,
                  "metadata.finalizers[0]: Invalid value: \"x\": name is neither a standard finalizer"},
        BadCreate{"bad_dry_run", "/api/v1/namespaces/default/configmaps?dryRun=Yes", config_map("a"),
                  422,
                  "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: "
                  "[\"Yes\"]: supported values: \"All\""},
        BadCreate{"other_kind", maps, {{"kind", "Pod"}, {"apiVersion", "v1"}, {"metadata", {{"name", "a"}}}},
                  400, "Pod in version \"v1\" cannot be handled as a ConfigMap"}),
    [](const auto& row) { return row.param.name; });

TEST(Update, WithoutAVersionOverwritesAndKeepsWhatTheServerOwns) {
    Cluster c;
    const Json old = Json::parse(c.post(maps, config_map("a", "1")).body);
    Json body = config_map("a", "2");
    body["metadata"]["uid"] = "";
    const Response response = c.put(std::string(maps) + "/a", body);
    ASSERT_EQ(response.status, 200) << response.body;
    const Json map = Json::parse(response.body);
    EXPECT_EQ(string_at(map, "data.a"), "2");
    EXPECT_EQ(map["metadata"]["uid"], old["metadata"]["uid"]);
    EXPECT_NE(map["metadata"]["resourceVersion"], old["metadata"]["resourceVersion"]);
}

TEST(Update, AStaleVersionIsAConflict) {
    Cluster c;
    const Json first = Json::parse(c.post(maps, config_map("a", "1")).body);
    c.put(std::string(maps) + "/a", config_map("a", "2"));
    const Response response = c.put(std::string(maps) + "/a", first);
    EXPECT_EQ(response.status, 409);
    EXPECT_EQ(message_of(response),
              "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; "
              "please apply your changes to the latest version and try again");
}

TEST(Update, WithoutAChangeKeepsTheVersionAndSendsNoEvent) {
    Cluster c;
    const Json old = Json::parse(c.post(maps, config_map("a", "1")).body);
    const auto before = c.store.version();
    EXPECT_EQ(Json::parse(c.put(std::string(maps) + "/a", config_map("a", "1")).body), old);
    EXPECT_EQ(Json::parse(c.merge(std::string(maps) + "/a", {{"data", {{"a", "1"}}}}).body), old);
    EXPECT_EQ(c.store.version(), before);
}

TEST(Update, OfAnAbsentObjectIs404UnlessTheKindIsMadeByUpdates) {
    Cluster c;
    EXPECT_EQ(c.put(std::string(maps) + "/x", config_map("x")).status, 404);
    const Json lease = {{"metadata", {{"name", "l"}}}, {"spec", {{"holderIdentity", "me"}}}};
    EXPECT_EQ(
        c.put("/apis/coordination.k8s.io/v1/namespaces/default/leases/l", lease).status, 200);
}

TEST(Update, ALeaseNeedsItsVersion) {
    Cluster c;
    const std::string leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    const Json lease = {{"metadata", {{"name", "l"}}}, {"spec", {{"holderIdentity", "me"}}}};
    c.post(leases, lease);
    const Response response = c.put(leases + "/l", lease);
    EXPECT_EQ(response.status, 422);
    EXPECT_THAT(message_of(response),
                HasSubstr("metadata.resourceVersion: Invalid value: 0: must be specified for an update"));
}

TEST(Status, TheTwoEndpointsWriteOnlyTheirHalf) {
    Cluster c;
    const std::string pods = "/api/v1/namespaces/default/pods";
    const Json pod = {{"metadata", {{"name", "p"}}},
                      {"spec", {{"containers", Json::array({{{"name", "c"}, {"image", "i"}}})}}}};
    c.post(pods, pod);
    c.merge(pods + "/p/status", {{"status", {{"phase", "Running"}}}, {"spec", {{"nodeName", "n"}}}});
    Json live = c.get(pods + "/p");
    EXPECT_EQ(string_at(live, "status.phase"), "Running");
    EXPECT_FALSE(live["spec"].contains("nodeName"));
    EXPECT_EQ(int_at(live, "metadata.generation"), 1);

    c.merge(pods + "/p", {{"status", {{"phase", "Failed"}}},
                          {"metadata", {{"labels", {{"a", "b"}}}}}});
    live = c.get(pods + "/p");
    EXPECT_EQ(string_at(live, "status.phase"), "Running");
    EXPECT_EQ(string_at(live, "metadata.labels.a"), "b");
    EXPECT_EQ(int_at(live, "metadata.generation"), 1);
}

TEST(Patch, MediaTypesAreJudgedPerKind) {
    Cluster c;
    c.post(maps, config_map("a"));
    const Response odd = c.send({"PATCH", std::string(maps) + "/a", "{}", "application/foo"});
    EXPECT_EQ(odd.status, 415);
    EXPECT_EQ(message_of(odd), "415: Unsupported Media Type");
    const Response custom =
        c.send({"PATCH", "/apis/trainer.kubeflow.org/v1alpha1/namespaces/default/trainjobs/t", "{}",
                "application/strategic-merge-patch+json"});
    EXPECT_EQ(custom.status, 415);
    EXPECT_EQ(message_of(custom),
              "the body of the request was in an unknown format - accepted media types include: "
              "application/json-patch+json, application/merge-patch+json, "
              "application/apply-patch+yaml");
}

TEST(Patch, AVersionInAPatchIsAPrecondition) {
    Cluster c;
    c.post(maps, config_map("a"));
    EXPECT_EQ(c.merge(std::string(maps) + "/a", {{"metadata", {{"resourceVersion", "1"}}}}).status,
              409);
    EXPECT_EQ(c.merge(std::string(maps) + "/a", {{"metadata", {{"uid", "x"}}}}).status, 422);
}

struct BadBody {
    const char* name;
    const char* body;
    const char* message;
};

class BadBodies : public ::testing::TestWithParam<BadBody> {};

TEST_P(BadBodies, AreExplainedInGosWords) {
    Cluster c;
    const Response response = c.send({"POST", maps, GetParam().body});
    EXPECT_EQ(response.status, 400) << response.body;
    EXPECT_EQ(message_of(response), GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Api, BadBodies,
    ::testing::Values(
        BadBody{"not_json", "{nope",
                "the object provided is unrecognized (must be of type ConfigMap): couldn't get "
                "version/kind; json parse error: invalid character 'n' looking for beginning of "
                "object key string ({nope)"},
        BadBody{"empty", "",
                "the object provided is unrecognized (must be of type ConfigMap): couldn't get "
                "version/kind; json parse error: unexpected end of JSON input (<empty>)"},
        BadBody{"array", "[]",
                "the object provided is unrecognized (must be of type ConfigMap): couldn't get "
                "version/kind; json parse error: json: cannot unmarshal array into Go value of type "
                "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
                "\"json:\\\"kind,omitempty\\\"\" } (5b5d)"}),
    [](const auto& row) { return row.param.name; });

TEST(Body, DuplicateMembersAreRefusedWhenStrictAndWarnedOfOtherwise) {
    Cluster c;
    const std::string body = R"({"metadata":{"name":"a"},"data":{"x":"1","x":"2"}})";
    const Response strict = c.send({"POST", std::string(maps) + "?fieldValidation=Strict", body});
    EXPECT_EQ(strict.status, 400);
    EXPECT_THAT(message_of(strict),
                HasSubstr("strict decoding error: duplicate field \"data.x\""));
    const Response warned = c.send({"POST", maps, body});
    EXPECT_EQ(warned.status, 201);
    EXPECT_EQ(header_of(warned, "Warning"), "299 - \"duplicate field \\\"data.x\\\"\"");
}

TEST(Body, YamlIsTakenWhereTheRealServerTakesIt) {
    Cluster c;
    const Response made = c.send({"POST", maps,
                                  "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ky}\ndata:\n  a: 'yes'\n",
                                  "application/yaml"});
    EXPECT_EQ(made.status, 201) << made.body;
    EXPECT_EQ(string_at(Json::parse(made.body), "data.a"), "yes");
    EXPECT_EQ(c.send({"POST", maps, "x", "text/plain"}).status, 415);
}

TEST(Body, AYamlBombAndDeepNestingAreRefused) {
    Cluster c;
    std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
    for (char l = 'b'; l < 'k'; ++l) {
        const std::string previous(1, static_cast<char>(l - 1));
        bomb += std::string(1, l) + ": &" + l + " [";
        for (int i = 0; i < 9; ++i) bomb += (i > 0 ? ",*" : "*") + previous;
        bomb += "]\n";
    }
    EXPECT_EQ(c.send({"POST", maps, bomb, "application/yaml"}).status, 400);
    const std::string deep = std::string(1'000, '[') + std::string(1'000, ']');
    EXPECT_EQ(c.send({"POST", maps, deep, "application/yaml"}).status, 400);
    const std::string nested = std::string(20'000, '[') + std::string(20'000, ']');
    EXPECT_EQ(c.send({"POST", maps, nested}).status, 400);
}

TEST(Accept, JsonYamlOrNothing) {
    Cluster c;
    c.post(maps, config_map("a", "yes"));
    Call call{"GET", std::string(maps) + "/a"};
    call.accept = "application/vnd.kubernetes.protobuf,application/json";
    EXPECT_EQ(c.send(call).content_type, "application/json");
    call.accept = "application/yaml";
    const Response yaml = c.send(call);
    EXPECT_EQ(yaml.content_type, "application/yaml");
    EXPECT_THAT(yaml.body, HasSubstr("apiVersion: v1\ndata:\n  a: \"yes\"\nkind: ConfigMap\n"));
    call.accept = "application/xml";
    const Response none = c.send(call);
    EXPECT_EQ(none.status, 406);
    EXPECT_EQ(message_of(none),
              "only the following media types are accepted: application/json, application/yaml, "
              "application/vnd.kubernetes.protobuf");
}

TEST(Events, AreOneObjectWithTwoFaces) {
    Cluster c;
    const std::string old_style = "/api/v1/namespaces/default/events";
    const std::string new_style = "/apis/events.k8s.io/v1/namespaces/default/events";
    const Json event = {{"metadata", {{"name", "kn"}}},
                        {"eventTime", "2026-01-02T03:04:05.000000Z"},
                        {"reportingController", "a.io/b"},
                        {"reportingInstance", "x"},
                        {"action", "Do"},
                        {"reason", "R"},
                        {"regarding", {{"kind", "Pod"}, {"namespace", "default"}, {"name", "kp"}}},
                        {"note", "n"},
                        {"type", "Normal"}};
    const Response made = c.post(new_style, event);
    ASSERT_EQ(made.status, 201) << made.body;
    const Json shown = Json::parse(made.body);
    EXPECT_EQ(string_at(shown, "apiVersion"), "events.k8s.io/v1");
    EXPECT_EQ(string_at(shown, "note"), "n");
    EXPECT_TRUE(shown.contains("deprecatedFirstTimestamp"));
    const Json core = c.get(old_style + "/kn");
    EXPECT_EQ(string_at(core, "apiVersion"), "v1");
    EXPECT_EQ(string_at(core, "message"), "n");
    EXPECT_EQ(string_at(core, "involvedObject.name"), "kp");
    EXPECT_EQ(string_at(core, "reportingComponent"), "a.io/b");
    c.merge(new_style + "/kn", {{"note", "m"}});
    EXPECT_EQ(string_at(c.get(old_style + "/kn"), "message"), "m");
    EXPECT_EQ(c.get(new_style)["items"].size(), 1u);
}

}  // namespace
}  // namespace shed::test
