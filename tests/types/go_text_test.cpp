#include "fakes/types/types.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace shed {
namespace {

struct Row {
    const char* name;
    const char* type;
    const char* value;
    const char* text;
};

const Row rows[] = {
    {"UnsetMembersAreShown", "core.Taint", R"({"key": "a"})",
     R"({"Key":"a","Value":"","Effect":"","TimeAdded":null})"},
    {"EmbeddedStructsAreOpened", "core.ConfigMapVolumeSource", R"({"name": "m", "optional": true})",
     R"({"Name":"m","Items":null,"DefaultMode":null,"Optional":true})"},
    {"Pointers", "*core.Taint", "null", "null"},
    {"Lists", "[]core.Taint", R"([{"key": "a", "value": "<b>"}])",
     R"([{"Key":"a","Value":"\u003cb\u003e","Effect":"","TimeAdded":null}])"},
    {"PublicTypesKeepTheirNames", "meta.LabelSelector",
     R"({"matchExpressions": [{"operator": "Exists", "key": "k"}], "matchLabels": {"b": "1", "a": "2"}})",
     R"({"matchLabels":{"a":"2","b":"1"},"matchExpressions":[{"key":"k","operator":"Exists"}]})"},
    {"Quantities", "core.EmptyDirVolumeSource", R"({"sizeLimit": "1Gi"})",
     R"({"Medium":"","SizeLimit":"1Gi"})"},
};

class GoText : public testing::TestWithParam<Row> {};

TEST_P(GoText, IsWhatTheServerPrints) {
    EXPECT_EQ(go_text(GetParam().type, Json::parse(GetParam().value)), GetParam().text);
}

INSTANTIATE_TEST_SUITE_P(, GoText, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(GoStructs, TakesHostMembersOfTheSecurityContextFromTheSpec) {
    const Json spec = {{"hostNetwork", true}, {"securityContext", Json::object()}};
    EXPECT_THAT(go_text("core.PodSpec", spec),
                testing::HasSubstr(R"("SecurityContext":{"HostNetwork":true,"HostPID":false,)"));
}

TEST(GoStructs, ShowsTheMetadataOfATemplateBesideItsSpec) {
    const Json pod_template = {{"metadata", {{"labels", {{"a", "b"}}}}}, {"spec", Json::object()}};
    EXPECT_THAT(go_text("core.PodTemplateSpec", pod_template),
                testing::StartsWith(R"({"labels":{"a":"b"},"Spec":{"Volumes":null)"));
}

TEST(GoStructs, IsIndentedByOneForDiffs) {
    EXPECT_EQ(
        go_text("core.NodeAddress", Json{{"type", "InternalIP"}, {"address", "1.2.3.4"}}, true),
        "{\n \"Type\": \"InternalIP\",\n \"Address\": \"1.2.3.4\"\n}");
}

}  // namespace
}  // namespace shed
