#include "simulator/render.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Json train_job(Json spec) {
    return {{"apiVersion", "trainer.kubeflow.org/v1alpha1"},
            {"kind", "TrainJob"},
            {"metadata", {{"name", "a"}, {"namespace", "default"}}},
            {"spec", std::move(spec)}};
}

std::vector<std::string> names(const Rendering& rendering, const std::string& kind) {
    std::vector<std::string> found;
    for (const Json& object : rendering.objects)
        if (object.at("kind") == kind) {
            const std::string name = string_at(object, "metadata.name");
            // A pod's name ends with five random characters.
            found.push_back(kind == "Pod" ? name.substr(0, name.size() - 6) : name);
        }
    return found;
}

TEST(RenderTest, ShowsAllThatTheGuidesJobBecomes) {
    const auto rendering = render({train_job({{"runtimeRef", {{"name", "mlx-distributed"}}},
                                              {"trainer", {{"numNodes", 3}}}})});
    ASSERT_TRUE(rendering) << rendering.error().message;
    EXPECT_THAT(names(*rendering, "JobSet"), ElementsAre("a"));
    EXPECT_THAT(names(*rendering, "Service"), ElementsAre("a"));
    EXPECT_THAT(names(*rendering, "Job"), ElementsAre("a-node-0", "a-launcher-0"));
    EXPECT_THAT(names(*rendering, "Pod"), ElementsAre("a-node-0-0", "a-node-0-1", "a-launcher-0-0"));
    EXPECT_THAT(rendering->warnings, ElementsAre());
    for (const Json& object : rendering->objects) {
        const std::string text = object.dump();
        for (const char* field : {"\"uid\"", "\"status\":{", "resourceVersion", "managedFields", "nodeName\":\""})
            EXPECT_EQ(text.find(field), std::string::npos) << field << " in " << text;
        if (object.at("kind") != "Secret") continue;
        for (const Json& value : object.at("data")) EXPECT_EQ(value, "REDACTED");
    }
}

TEST(RenderTest, LetsInitializersEnd) {
    const auto rendering = render(
        {train_job({{"runtimeRef", {{"name", "torchtune-llama3.2-1b"}}},
                    {"initializer",
                     {{"dataset", {{"storageUri", "hf://a/b"}}}, {"model", {{"storageUri", "hf://c/d"}}}}}})});
    ASSERT_TRUE(rendering) << rendering.error().message;
    EXPECT_THAT(names(*rendering, "Pod"),
                ElementsAre("a-dataset-initializer-0-0", "a-model-initializer-0-0", "a-node-0-0"));
}

TEST(RenderTest, SaysWhatTheClusterWouldWarnOf) {
    const auto rendering =
        render({train_job({{"runtimeRef", {{"name", "torch-distributed"}}},
                           {"trainer", {{"resourcesPerNode", {{"limits", {{"nvidia.com/gpu", 5000}}}}}}}})});
    ASSERT_TRUE(rendering) << rendering.error().message;
    ASSERT_FALSE(rendering->warnings.empty());
    EXPECT_THAT(rendering->warnings.front(), HasSubstr("Insufficient nvidia.com/gpu"));
}

TEST(RenderTest, RefusesAsTheServerWould) {
    const auto rendering = render({train_job({{"runtimeRef", {{"name", "no-such"}}}})});
    ASSERT_FALSE(rendering);
    EXPECT_THAT(rendering.error().message, HasSubstr("no-such"));
}

}  // namespace
}  // namespace shed
