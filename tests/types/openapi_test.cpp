#include "fakes/types/types.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace shed {
namespace {

using testing::Contains;
using testing::Not;

const Json& document(std::string_view group, std::string_view version) {
    static std::map<std::pair<std::string_view, std::string_view>, Json> read;
    const auto [at, fresh] = read.try_emplace({group, version});
    if (fresh) at->second = Json::parse(openapi_v3(group, version));
    return at->second;
}

const Json& schema(const Json& document, const std::string& name) {
    return member(document.at("components").at("schemas"), name);
}

std::set<std::pair<std::string_view, std::string_view>> group_versions() {
    std::set<std::pair<std::string_view, std::string_view>> all;
    for (const Kind& kind : all_kinds()) all.emplace(kind.group, kind.version);
    return all;
}

void collect_references(const Json& value, std::set<std::string>& names) {
    if (!value.is_structured()) return;
    for (const auto& [key, part] : value.items()) {
        if (key == "$ref" && part.is_string()) names.insert(part.get<std::string>());
        else collect_references(part, names);
    }
}

// kubectl looks through all paths for the one PATCH of a kind.
const Json* find_patch(const Json& document, const Kind& kind) {
    const Json gvk = {{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}};
    for (const auto& [path, item] : document.at("paths").items()) {
        const Json& patch = member(item, "patch");
        if (member(patch, "x-kubernetes-group-version-kind") == gvk) return &patch;
    }
    return nullptr;
}

TEST(OpenApi, EveryReferenceLeadsToASchema) {
    for (const auto& [group, version] : group_versions()) {
        const Json& whole = document(group, version);
        std::set<std::string> names;
        collect_references(whole, names);
        EXPECT_FALSE(names.empty()) << group;
        for (const std::string& name : names)
            EXPECT_TRUE(schema(whole, name.substr(name.rfind('/') + 1)).is_object()) << name;
    }
}

TEST(OpenApi, EveryKindThatCanBePatchedSaysThatTheServerValidatesFields) {
    for (const Kind& kind : all_kinds()) {
        const Json& whole = document(kind.group, kind.version);
        const Json* patch = find_patch(whole, kind);
        ASSERT_EQ(patch == nullptr, kind.create_only) << kind.kind;
        if (patch == nullptr) continue;
        std::vector<std::string> names;
        for (const Json& parameter : patch->at("parameters"))
            names.push_back(string_at(parameter, "name"));
        EXPECT_THAT(names, Contains("fieldValidation")) << kind.kind;
    }
}

// kubectl apply chooses the kind of its patch by this.
TEST(OpenApi, OnlyBuiltInKindsTakeStrategicMergePatches) {
    for (const Kind& kind : all_kinds()) {
        const Json& whole = document(kind.group, kind.version);
        const Json* patch = find_patch(whole, kind);
        if (patch == nullptr) continue;
        const Json& content = patch->at("requestBody").at("content");
        EXPECT_EQ(content.contains("application/strategic-merge-patch+json"), !kind.custom)
            << kind.kind;
        EXPECT_TRUE(content.contains("application/merge-patch+json")) << kind.kind;
    }
}

TEST(OpenApi, EveryKindHasASchemaThatExplainFinds) {
    for (const Kind& kind : all_kinds()) {
        const Json& whole = document(kind.group, kind.version);
        const Json gvk = {{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}};
        const Json& schemas = whole.at("components").at("schemas");
        const auto found = std::count_if(schemas.begin(), schemas.end(), [&](const Json& one) {
            const Json& kinds = member(one, "x-kubernetes-group-version-kind");
            return std::find(kinds.begin(), kinds.end(), gvk) != kinds.end();
        });
        EXPECT_EQ(found, 1) << kind.kind;
    }
}

TEST(OpenApi, WritesTypesAsTheRealServerDoes) {
    const Json& core = document("", "v1");
    EXPECT_EQ(schema(core, "io.k8s.api.core.v1.ContainerPort"), Json::parse(R"({
        "properties":{
          "containerPort":{"default":0,"format":"int32","type":"integer"},
          "hostIP":{"type":"string"},
          "hostPort":{"format":"int32","type":"integer"},
          "name":{"type":"string"},
          "protocol":{"default":"TCP","enum":["SCTP","TCP","UDP"],"type":"string"}},
        "required":["containerPort"],"type":"object"})"));
    EXPECT_EQ(schema(core, "io.k8s.api.core.v1.Container").at("properties").at("env"),
              Json::parse(R"({
        "items":{"allOf":[{"$ref":"#/components/schemas/io.k8s.api.core.v1.EnvVar"}],"default":{}},
        "type":"array","x-kubernetes-list-map-keys":["name"],"x-kubernetes-list-type":"map",
        "x-kubernetes-patch-merge-key":"name","x-kubernetes-patch-strategy":"merge"})"));
    EXPECT_EQ(schema(core, "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector")
                  .at("x-kubernetes-map-type"),
              "atomic");
    // Inlined types are opened; the order of required members is Go's.
    const Json& volume = schema(core, "io.k8s.api.core.v1.Volume").at("properties");
    EXPECT_TRUE(volume.contains("configMap"));
    EXPECT_EQ(schema(core, "io.k8s.api.core.v1.NodeCondition").at("required"),
              Json({"type", "status"}));
}

TEST(OpenApi, WritesCustomResourcesFromTheirSchemas) {
    const Json& trainer = document("trainer.kubeflow.org", "v1alpha1");
    const Json& job = schema(trainer, "org.kubeflow.trainer.v1alpha1.TrainJob");
    ASSERT_TRUE(job.is_object());
    const Json& spec = job.at("properties").at("spec");
    EXPECT_EQ(spec.at("properties").at("runtimeRef").at("type"), "object");
    EXPECT_THAT(spec.at("required"), Contains("runtimeRef"));
    const Json& limits =
        at_path(spec, "properties.trainer.properties.resourcesPerNode.properties.limits");
    EXPECT_EQ(limits.at("additionalProperties").at("anyOf"),
              Json::parse(R"([{"type":"integer"},{"type":"string"}])"));
    const std::string metadata =
        "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
    EXPECT_EQ(job.at("properties").at("metadata"),
              Json({{"allOf", Json::array({{{"$ref", metadata}}})}}));
    // Numbered references are the data's own shorthand.
    EXPECT_THAT(dump_json(trainer), Not(testing::HasSubstr("\"$ref\":1")));
}

TEST(OpenApi, IsTheSameTextEveryTime) {
    EXPECT_EQ(openapi_v3("batch", "v1"), openapi_v3("batch", "v1"));
}

}  // namespace
}  // namespace shed
