// Two pods of a recorded cluster, played again: the status must be the recorded one but for times
// and ids.
#include "fakes/pods/pods.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>

namespace shed {
namespace {

using namespace pod_event;

Json read_data(const std::string& name) {
    std::ifstream file(std::string(SHED_TEST_DATA) + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return *parse_json(text.str());
}

// What the kubelet does not write, and what no two runs have in common.
Json comparable(Json status) {
    status.erase("qosClass");
    Json kept = Json::array();
    for (Json& condition : status["conditions"]) {
        condition.erase("lastTransitionTime");
        if (condition["type"] != "PodScheduled") kept.push_back(condition);
    }
    status["conditions"] = kept;
    status.erase("startTime");
    for (Json& container : status["containerStatuses"]) {
        container.erase("imageID");
        if (container.contains("containerID")) container["containerID"] = "<id>";
        for (auto& [name, state] : container["state"].items()) {
            for (const char* time : {"startedAt", "finishedAt"}) state.erase(time);
            if (state.contains("containerID")) state["containerID"] = "<id>";
        }
    }
    return status;
}

struct Life {
    explicit Life(const std::string& file)
        : recorded(read_data(file)),
          pod(recorded["pod"]),
          state(*first_state(*Object::make(pod), now)) {}
    void send(const PodEvent& event) {
        now += std::chrono::seconds(1);
        state = next(std::move(state), event, now).state;
    }
    void expect_recorded(std::size_t index) {
        const Json& wanted = recorded["statuses"][index];
        EXPECT_EQ(dump_json(comparable(pod_status(state, pod, "172.18.0.2"))),
                  dump_json(comparable(wanted)))
            << index;
    }
    Started started() const { return Started{"node", 0, "containerd://c", "image@sha256:0", now}; }
    std::string ip() const { return recorded["statuses"].back()["podIP"].get<std::string>(); }

    Time now = *parse_time("2026-11-23T06:05:10Z");
    Json recorded, pod;
    PodState state;
};

TEST(RecordedPods, AWorkerFromPendingToItsEndByDeletion) {
    Life life("worker_life.json");
    ASSERT_EQ(life.recorded["statuses"].size(), 4u);
    life.send(Tick{});
    life.expect_recorded(0);
    life.send(SandboxReady{life.ip()});
    life.send(life.started());
    life.expect_recorded(1);
    life.send(Probed{"node", 0, ProbeKind::readiness, true});
    life.expect_recorded(2);
    life.send(Changed{2, true, std::chrono::seconds(30)});
    life.send(Exited{"node", 0, 255, life.now});
    life.expect_recorded(3);
}

TEST(RecordedPods, ALauncherFromPendingToSucceeded) {
    Life life("launcher_life.json");
    life.send(Tick{});
    life.expect_recorded(0);
    life.send(SandboxReady{life.ip()});
    life.send(life.started());
    life.send(Exited{"node", 0, 0, life.now});
    life.expect_recorded(life.recorded["statuses"].size() - 1);
}

}  // namespace
}  // namespace shed
