// What a real API server with the real controllers stored for a case, and what is stored here.
#include "fakes/yaml/yaml.hpp"
#include "tests/flow/normalise.hpp"
#include "simulator/paper/node.hpp"
#include "tests/flow/recorder.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

namespace shed {
namespace {

std::string text_of(const std::string& path) {
    std::ifstream in(std::string(SHED_TEST_DATA) + "/" + path);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

// Recorded pods were played by a script: what a kubelet chooses differs (image ids, how often the
// status was written), and so do the times it took.
Json without_played(Json object) {
    if (string_at(object, "kind") != "Pod") return object;
    Json& status = object["status"];
    for (const char* field : {"hostIP", "hostIPs"}) status.erase(field);
    for (Json& container : status["containerStatuses"])
        for (const char* field : {"containerID", "imageID", "image", "state", "lastState"})
            container.erase(field);
    return object;
}

std::map<std::string, Json> by_name(const Json& list) {
    std::map<std::string, Json> objects;
    for (const Json& object : list) {
        const std::string name = string_at(object, "kind") + "/" + string_at(object, "metadata.name");
        // Every namespace has these; the recordings leave one out and never list the other.
        if (name == "ConfigMap/kube-root-ca.crt" || name == "ServiceAccount/default") continue;
        objects[name] = without_played(object);
    }
    return objects;
}

// The runtime's own metadata inside the snapshot names who installed it, and when.
void forget_installer(std::map<std::string, Json>& objects) {
    for (auto& [name, object] : objects) {
        if (!name.ends_with("-runtime-snapshot")) continue;
        auto runtime = parse_yaml(string_at(object, "data.runtime"));
        ASSERT_TRUE(runtime);
        (*runtime)["metadata"].erase("managedFields");
        (*runtime)["metadata"].erase("resourceVersion");
        (*runtime)["metadata"].erase("uid");
        object["data"]["runtime"] = *runtime;
    }
}

PaperRuntime::Behaviour three_nodes(const Object& pod, int) {
    PaperRuntime::Behaviour behaviour;
    if (pod.label("jobset.sigs.k8s.io/replicatedjob-name") == "launcher")
        behaviour.runs = std::chrono::milliseconds(1500);
    else behaviour.stop_code = 255;
    return behaviour;
}

class Recorded : public testing::Test {
protected:
    void play(const std::string& name, const std::string& ns) {
        expected = *parse_json(text_of(name + "/expected.json"));
        Json space = {{"apiVersion", "v1"}, {"kind", "Namespace"}};
        space["metadata"] = {{"name", ns}};
        ASSERT_TRUE(cluster.create(space));
        cluster.settle();
        Recorder recorder(cluster, ns);
        auto inputs = parse_yaml_documents(text_of(name + "/input.yaml"));
        ASSERT_TRUE(inputs);
        for (Json& input : *inputs) {
            input["metadata"]["namespace"] = ns;
            auto made = cluster.create(input);
            ASSERT_TRUE(made) << made.error().message;
            job = (*made)->key();
        }
        const auto ended = [&] {
            const ObjectPtr now = cluster.store().find(job);
            return now && (condition_true(now->dom(), "Complete") || condition_true(now->dom(), "Failed"));
        };
        ASSERT_TRUE(cluster.run_until(ended, std::chrono::minutes(2)));
        cluster.run_for(std::chrono::seconds(5));
        actual = normal_record(ns, recorder.timeline(), recorder.final_objects());
    }

    PaperCluster cluster;
    PaperNode node{cluster, three_nodes};
    Key job;
    Json expected, actual;
};

TEST_F(Recorded, ThreeNodesFinalObjects) {
    play("01-mlx3", "g-01-mlx3");
    auto want = by_name(expected["final"]), have = by_name(actual["final"]);
    forget_installer(want);
    forget_installer(have);
    for (const auto& [name, object] : want) {
        ASSERT_TRUE(have.contains(name)) << name << " is missing";
        EXPECT_EQ(Json::diff(object, have[name]).dump(1), "[]") << name;
    }
    for (const auto& [name, object] : have)
        EXPECT_TRUE(want.contains(name)) << name << " is left over: " << object.dump(1);
}

TEST_F(Recorded, ThreeNodesConditions) {
    play("01-mlx3", "g-01-mlx3");
    EXPECT_EQ(actual["conditions"].dump(1), expected["conditions"].dump(1));
}

TEST_F(Recorded, ThreeNodesEvents) {
    play("01-mlx3", "g-01-mlx3");
    // No kubelet took part in the recording.
    Json of_control_plane = Json::array();
    for (const Json& event : actual["events"])
        if (event[5] != "kubelet") of_control_plane.push_back(event);
    EXPECT_EQ(of_control_plane.dump(1), expected["events"].dump(1));
}

}  // namespace
}  // namespace shed
