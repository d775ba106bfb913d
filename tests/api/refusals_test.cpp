// What the API says of objects and patches that cannot be read, and of values that are not allowed.
#include "fixture.hpp"

namespace shed::test {
namespace {

constexpr const char* pods = "/api/v1/namespaces/default/pods";
constexpr const char* services = "/api/v1/namespaces/default/services";

Json pod(const std::string& name) {
    const Json container = {{"name", "c"}, {"image", "i"}};
    return {{"metadata", {{"name", name}}}, {"spec", {{"containers", Json::array({container})}}}};
}

std::string message_of(const Response& response) {
    return string_at(Json::parse(response.body), "message");
}

TEST(Refusal, NamesTheMemberOfTheWrongType) {
    Cluster c;
    const Response response = c.post(maps, {{"metadata", {{"name", "m"}}}, {"data", {{"a", 1}}}});
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(message_of(response),
              "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot "
              "unmarshal number into Go "
              "struct field ConfigMap.data of type string");
}

TEST(Refusal, QuotesTheObjectThatAPatchWouldLeave) {
    Cluster c;
    ASSERT_EQ(c.post(maps, config_map("m")).status, 201);
    const Response response = c.merge(std::string(maps) + "/m", {{"data", 1}});
    EXPECT_EQ(response.status, 422);
    EXPECT_THAT(message_of(response),
                testing::StartsWith(" \"\" is invalid: patch: Invalid value: \"{\\\"apiVersion"));
    EXPECT_THAT(message_of(response),
                testing::EndsWith("json: cannot unmarshal number into Go struct field "
                                  "ConfigMap.data of type map[string]string"));
}

TEST(Refusal, QuotesAStrategicPatchAsGoPrintsIt) {
    Cluster c;
    ASSERT_EQ(c.post(pods, pod("p")).status, 201);
    Call call{"PATCH", std::string(pods) + "/p?fieldValidation=Strict", R"({"spec":{"zork":1}})"};
    call.content_type = "application/strategic-merge-patch+json";
    const Response response = c.send(call);
    EXPECT_EQ(response.status, 422);
    EXPECT_EQ(message_of(response),
              " \"\" is invalid: patch: Invalid value: \"map[spec:map[zork:1]]\": strict decoding "
              "error: unknown field "
              "\"spec.zork\"");
}

TEST(Refusal, OfAnAppliedObjectOutsideTheSchemaIsAnErrorWithoutAReason) {
    Cluster c;
    Call call{"PATCH", std::string(maps) + "/m?fieldManager=me"};
    call.body = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"zork":1})";
    call.content_type = "application/apply-patch+yaml";
    const Response response = c.send(call);
    EXPECT_EQ(response.status, 500);
    EXPECT_EQ(message_of(response),
              "failed to create typed patch object (/m; /v1, Kind=ConfigMap): .zork: field not "
              "declared in schema");
    EXPECT_FALSE(Json::parse(response.body).contains("reason"));
}

TEST(Refusal, LeavesOutTheFieldOfACauseAboutTheWholeObject) {
    Cluster c;
    const Response response = c.post(maps, config_map("m", std::string(1'048'577, 'x')));
    EXPECT_EQ(response.status, 422);
    const Json cause = {{"reason", "FieldValueTooLong"},
                        {"message", "Too long: may not be more than 1048576 bytes"}};
    EXPECT_EQ(at_path(Json::parse(response.body), "details.causes"), Json::array({cause}));
}

TEST(ServiceAddress, StaysWhenAnUpdateLeavesItOut) {
    Cluster c;
    const Json port = {{"port", 80}};
    const Json service = {{"metadata", {{"name", "s"}}},
                          {"spec", {{"ports", Json::array({port})}}}};
    const Json made = Json::parse(c.post(services, service).body);
    const Response replaced = c.put(std::string(services) + "/s", service);
    EXPECT_EQ(replaced.status, 200) << replaced.body;
    EXPECT_EQ(Json::parse(replaced.body)["spec"], made["spec"]);
}

}  // namespace
}  // namespace shed::test
