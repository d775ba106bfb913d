#include "fakes/patch/typed.hpp"

#include "fakes/patch/patch.hpp"

#include <gmock/gmock.h>
#include <fstream>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

struct Row {
    const char* name;
    const char* applied;
    const char* problem;  // after "failed to create typed patch object (default/x; ...): "
};

const Row rows[] = {
    {"Known",
     R"({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": "i"}]}})",
     nullptr},
    {"UnknownMember",
     R"({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "zork": 1}]}})",
     ".spec.containers[name=\"c\"].zork: field not declared in schema"},
    {"UnknownTwice", R"({"apiVersion": "v1", "kind": "Pod", "a": 1, "b": 2})",
     "errors:\n  .a: field not declared in schema\n  .b: field not declared in schema"},
    {"SameKeyTwice",
     R"({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "ports": [
         {"containerPort": 1}, {"containerPort": 1, "protocol": "TCP"}]}]}})",
     ".spec.containers[name=\"c\"].ports: duplicate entries for key "
     "[containerPort=1,protocol=\"TCP\"]"},
    {"SameItemTwice",
     R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"finalizers": ["a.io/b", "a.io/b"]}})",
     ".metadata.finalizers: duplicate entries for key [=\"a.io/b\"]"},
    {"TextForNumber", R"({"apiVersion": "batch/v1", "kind": "Job", "spec": {"parallelism": "2"}})",
     ".spec.parallelism: expected numeric (int or float), got string"},
    {"MapForList", R"({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": {"name": "c"}}})",
     ".spec.containers: expected list, got &{map[name:c]}"},
    {"NumberForBoolean", R"({"apiVersion": "v1", "kind": "Pod", "spec": {"hostNetwork": 1}})",
     ".spec.hostNetwork: expected boolean, got &{1}"},
    {"OfCustomKinds",
     R"({"apiVersion": "trainer.kubeflow.org/v1alpha1", "kind": "TrainJob", "spec": {"suspend": "x", "zork": 1}})",
     "errors:\n  .spec.suspend: expected boolean, got &{x}\n  .spec.zork: field not declared in "
     "schema"},
    {"QuantitiesOfAnyForm",
     R"({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": 1}}}]}})",
     nullptr},
};

class TypedProblems : public testing::TestWithParam<Row> {};

TEST_P(TypedProblems, AreThoseOfTheRealServer) {
    Json applied = Json::parse(GetParam().applied);
    applied["metadata"]["name"] = "x";
    applied["metadata"]["namespace"] = "default";
    const Kind& kind = kind_of(string_at(applied, "apiVersion"), string_at(applied, "kind"));
    const std::string gvk = std::string(kind.group) + "/" + std::string(kind.version) +
                            ", Kind=" + std::string(kind.kind);
    const char* problem = GetParam().problem;
    EXPECT_EQ(typed_problem(kind, applied),
              problem == nullptr
                  ? ""
                  : "failed to create typed patch object (default/x; " + gvk + "): " + problem);
}

INSTANTIATE_TEST_SUITE_P(, TypedProblems, testing::ValuesIn(rows),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(RecordedApplies, AreReadByTheSchemaFirst) {
    std::ifstream in(std::string(SHED_TEST_DATA) + "/apply.jsonl");
    std::string line;
    int compared = 0;
    while (std::getline(in, line)) {
        const Json row = Json::parse(line);
        const std::string message = string_at(row, "message");
        if (string_at(row, "type") != "apply") continue;
        const Kind& kind =
            kind_of(string_at(row["patch"], "apiVersion"), string_at(row["patch"], "kind"));
        const bool typed = message.starts_with("failed to create typed patch object");
        EXPECT_EQ(typed_problem(kind, row["patch"]), typed ? message : "") << row["note"];
        compared += typed ? 1 : 0;
    }
    EXPECT_EQ(compared, 6);
}

}  // namespace
}  // namespace shed
