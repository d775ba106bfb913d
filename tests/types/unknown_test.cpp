#include "fakes/types/types.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const Kind& pod() { return kind_of("v1", "Pod"); }
const Kind& trainjob() { return kind_of("trainer.kubeflow.org/v1alpha1", "TrainJob"); }
const Kind& runtime() { return kind_of("trainer.kubeflow.org/v1alpha1", "TrainingRuntime"); }

struct Row {
    const char* name;
    const Kind& (*kind)();
    const char* object;
    std::vector<std::string> unknown;
};

class UnknownFields : public testing::TestWithParam<Row> {};

TEST_P(UnknownFields, AreNamedAsStrictDecodingNamesThem) {
    const auto& [name, kind, text, unknown] = GetParam();
    EXPECT_EQ(unknown_fields(kind(), Json::parse(text)), unknown);
}

TEST_P(UnknownFields, AreGoneAfterPruning) {
    const auto& [name, kind, text, unknown] = GetParam();
    Json object = Json::parse(text);
    prune_unknown(kind(), object);
    EXPECT_THAT(unknown_fields(kind(), object), IsEmpty());
    EXPECT_EQ(object == Json::parse(text), unknown.empty());
}

INSTANTIATE_TEST_SUITE_P(
    , UnknownFields,
    testing::Values(
        Row{"TopLevel", pod, R"({"zork":1})", {"zork"}},
        Row{"Spec", pod, R"({"spec":{"zork":1}})", {"spec.zork"}},
        Row{"InAList",
            pod,
            R"({"spec":{"containers":[{"name":"a"},{"bar":1}]}})",
            {"spec.containers[1].bar"}},
        Row{"InAnInlinedType",
            pod,
            R"({"spec":{"volumes":[{"emptyDir":{"x":1}}]}})",
            {"spec.volumes[0].emptyDir.x"}},
        Row{"OfAnInlinedType",
            pod,
            R"({"spec":{"volumes":[{"emptyDirs":{}}]}})",
            {"spec.volumes[0].emptyDirs"}},
        Row{"CaseMatters", pod, R"({"spec":{"hostnetwork":true}})", {"spec.hostnetwork"}},
        Row{"Metadata", pod, R"({"metadata":{"zork":1,"labels":{"any":"x"}}})", {"metadata.zork"}},
        Row{"ANullCountsToo", pod, R"({"zork":null})", {"zork"}},
        Row{"FieldsAreFree",
            pod,
            R"({"metadata":{"managedFields":[{"fieldsV1":{"f:x":{}}}]}})",
            {}},
        Row{"MapsAreFree", pod, R"({"spec":{"nodeSelector":{"a/b":"c"}}})", {}},
        Row{"WrongTypesAreNotItsBusiness", pod, R"({"spec":{"containers":"x"}})", {}},
        Row{"CustomSpec",
            trainjob,
            R"({"apiVersion":"x","kind":"y","spec":{"nope":1}})",
            {"spec.nope"}},
        Row{"CustomNested",
            trainjob,
            R"({"spec":{"trainer":{"zip":1,"numNodes":2}}})",
            {"spec.trainer.zip"}},
        Row{"CustomInAList",
            trainjob,
            R"({"spec":{"trainer":{"env":[{"name":"a","v":1}]}}})",
            {"spec.trainer.env[0].v"}},
        Row{"CustomMetadata", trainjob, R"({"metadata":{"name":"a","zork":1}})", {"metadata.zork"}},
        Row{"CustomTopLevel", trainjob, R"({"zork":1})", {"zork"}},
        Row{"CustomMap",
            trainjob,
            R"({"spec":{"trainer":{"resourcesPerNode":{"limits":{"nvidia.com/gpu":1}}}}})",
            {}},
        Row{"PatchInAJob",
            trainjob,
            R"({"spec":{"runtimePatches":[{"manager":"a/b","trainingRuntimeSpec":{"template":{"spec":
               {"replicatedJobs":[{"name":"n","template":{"spec":{"template":{"spec":{"x":1}}}}}]}}}}]}})",
            {"spec.runtimePatches[0].trainingRuntimeSpec.template.spec.replicatedJobs[0].template."
             "spec"
             ".template.spec.x"}},
        Row{"EmbeddedMetadata",
            runtime,
            R"({"spec":{"template":{"metadata":{"labels":{"a":"b"},"uid":"x"}}}})",
            {"spec.template.metadata.uid"}},
        Row{"ObjectWithoutMembers",
            runtime,
            R"({"spec":{"mlPolicy":{"jax":{"x":1}}}})",
            {"spec.mlPolicy.jax.x"}}),
    [](const auto& row) { return std::string(row.param.name); });

TEST(TypeTable, FindsMembersOfInlinedTypes) {
    const Type* volume = find_type("io.k8s.api.core.v1.Volume");
    ASSERT_NE(volume, nullptr);
    ASSERT_NE(volume->find("configMap"), nullptr);
    EXPECT_EQ(volume->find("configMap")->type->name, "io.k8s.api.core.v1.ConfigMapVolumeSource");
    EXPECT_EQ(volume->find("volumeSource"), nullptr);
}

TEST(TypeTable, KnowsHowListsMerge) {
    const TypeField* ports = find_type("io.k8s.api.core.v1.Container")->find("ports");
    ASSERT_NE(ports, nullptr);
    EXPECT_EQ(ports->list_type, ListType::map);
    EXPECT_THAT(ports->list_keys, ElementsAre("containerPort", "protocol"));
    EXPECT_EQ(ports->merge_key, "containerPort");
    EXPECT_TRUE(find_type("io.k8s.api.core.v1.Container")->find("name")->required);
    EXPECT_FALSE(find_type("io.k8s.api.core.v1.Container")->find("image")->required);
}

TEST(TypeTable, HasEveryBuiltInKind) {
    for (const Kind& kind : all_kinds())
        EXPECT_EQ(type_of(kind.api_version(), kind.kind) == nullptr, kind.custom) << kind.kind;
    for (const Kind& kind : all_kinds())
        EXPECT_EQ(crd_schema(kind).is_null(), !kind.custom) << kind.kind;
}

}  // namespace
}  // namespace shed
