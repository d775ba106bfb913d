// Trainer's and JobSet's rules one by one: schema, CEL and webhooks, each with its message.
#include "fixture.hpp"

#include <gmock/gmock.h>

namespace shed::test {
namespace {

using testing::HasSubstr;

Json trainjob_of(const char* runtime) {
    return {{"apiVersion", "trainer.kubeflow.org/v1alpha1"},
            {"kind", "TrainJob"},
            {"metadata", {{"name", "base"}, {"namespace", "default"}}},
            {"spec",
             {{"runtimeRef",
               {{"name", runtime}, {"apiGroup", "trainer.kubeflow.org"}, {"kind", "ClusterTrainingRuntime"}}},
              {"trainer", {{"numNodes", 1}, {"command", {"true"}}}}}}};
}

Json group(const char* name) {
    return {{"name", name},
            {"template",
             {{"spec", {{"template", {{"spec", {{"containers", Json::array({{{"name", "c"}, {"image", "i"}}})}}}}}}}}}};
}

Json runtime() {
    Json node = group("node");
    node["template"]["metadata"]["labels"] = {{"trainer.kubeflow.org/trainjob-ancestor-step", "trainer"}};
    node["template"]["spec"]["template"]["spec"]["containers"][0]["name"] = "node";
    return {{"apiVersion", "trainer.kubeflow.org/v1alpha1"},
            {"kind", "ClusterTrainingRuntime"},
            {"metadata", {{"name", "base"}}},
            {"spec",
             {{"mlPolicy", {{"numNodes", 1}, {"torch", Json::object()}}},
              {"template", {{"spec", {{"replicatedJobs", Json::array({std::move(node)})}}}}}}}};
}

// As Trainer's torchtune runtimes: a data set comes before the training.
Json runtime_with_initializer() {
    Json made = runtime();
    made["metadata"]["name"] = "initialized";
    Json initializer = group("dataset-initializer");
    initializer["template"]["metadata"]["labels"] = {
        {"trainer.kubeflow.org/trainjob-ancestor-step", "dataset-initializer"}};
    Json& container = initializer["template"]["spec"]["template"]["spec"]["containers"][0];
    container["name"] = "dataset-initializer";
    container["volumeMounts"] = Json::array({{{"name", "initializer"}, {"mountPath", "/workspace"}}});
    Json& groups = made["spec"]["template"]["spec"]["replicatedJobs"];
    groups.insert(groups.begin(), std::move(initializer));
    return made;
}

Json jobset() {
    return {{"apiVersion", "jobset.x-k8s.io/v1alpha2"},
            {"kind", "JobSet"},
            {"metadata", {{"name", "base"}, {"namespace", "default"}}},
            {"spec", {{"replicatedJobs", Json::array({group("a"), group("b"), group("c")})}}}};
}

Json base(const Json& row) {
    const std::string name = string_at(row, "base");
    if (name == "mpi") return trainjob_of("mlx-distributed");
    if (name == "xgboost") return trainjob_of("xgboost-distributed");
    if (name == "initialized") return trainjob_of("initialized");
    if (name == "runtime") return runtime();
    if (name == "jobset") return jobset();
    return trainjob_of("torch-distributed");
}

// Values too long to write out: "@501" is so many letters, "@129 words" so many words.
Json spelled(const Json& value) {
    if (!value.is_string() || !value.get_ref<const std::string&>().starts_with('@')) return value;
    const auto count = static_cast<std::size_t>(std::atoi(value.get_ref<const std::string&>().c_str() + 1));
    if (value.get_ref<const std::string&>().ends_with(" words")) return std::vector<std::string>(count, "w");
    return std::string(count, 'a');
}

void change(Json& object, const Json& changes) {
    for (const auto& [pointer, value] : changes.items()) {
        const Json::json_pointer at(pointer);
        if (value.is_null()) object.at(at.parent_pointer()).erase(at.back());
        else object[at] = spelled(value);
    }
}

// What is stored first, with what a server sets.
Json stored(const Json& row, const ClusterView& cluster) {
    Json old = base(row);
    change(old, row.at("was"));
    old["metadata"]["uid"] = "00000000-0000-4000-8000-000000000001";
    const auto admitted = create(old, cluster);
    EXPECT_TRUE(admitted) << admitted.error().message;
    return old;
}

class Rules : public testing::TestWithParam<Json> {};

TEST_P(Rules, Hold) {
    const Json& row = GetParam();
    FewObjects cluster = recorded_cluster();
    cluster.put(runtime_with_initializer());
    Json object;
    Result<Admitted> answer = Error{};
    if (row.contains("was")) {
        const Json old = stored(row, cluster);
        object = old;
        change(object, row.at("set"));
        answer = update(object, old, cluster);
    } else {
        object = base(row);
        change(object, row.at("set"));
        answer = create(object, cluster);
    }
    if (row.contains("ok")) {
        EXPECT_TRUE(answer) << answer.error().message;
        return;
    }
    ASSERT_FALSE(answer) << "it was taken";
    if (row.contains("error")) EXPECT_EQ(answer.error().message, row["error"].get<std::string>());
    else EXPECT_THAT(answer.error().message, HasSubstr(row["contains"].get<std::string>()));
}

std::string test_name(const testing::TestParamInfo<Json>& row) {
    std::string name = row.param.at("base").get<std::string>() + "_" + row.param.at("name").get<std::string>();
    for (char& c : name)
        if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
    return name;
}

INSTANTIATE_TEST_SUITE_P(OfTrainerAndJobSet, Rules, testing::ValuesIn(read_lines("rules.jsonl")), test_name);

TEST(Rules, TheirTableIsNotEmpty) { EXPECT_GT(read_lines("rules.jsonl").size(), 60u); }

}  // namespace
}  // namespace shed::test
