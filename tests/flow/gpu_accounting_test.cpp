// 1,000 random steps with pods that ask for GPUs: created, ending by themselves, deleted with and
// without grace. Never more are given away than there are, and none is lost.
#include "fakes/base/rng.hpp"
#include "simulator/paper/node.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <memory>

namespace shed {
namespace {

constexpr int gpus_there = 4;
constexpr const char* resource = "nvidia.com/gpu";

Json pod_of(int number, int gpus) {
    Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}};
    pod["metadata"] = {{"name", "p" + std::to_string(number)}, {"namespace", "default"}};
    Json container = {{"name", "main"}, {"image", "any"}, {"command", {"train"}}};
    container["resources"]["limits"] = {{resource, std::to_string(gpus)}};
    pod["spec"] = {{"restartPolicy", "Never"}, {"containers", Json::array({container})}};
    return pod;
}

int gpus_of(const Object& pod) {
    const Json& container = member(pod.dom(), "spec")["containers"][0];
    return std::stoi(at_path(container, "resources.limits")[resource].get<std::string>());
}

class GpuAccounting : public testing::TestWithParam<std::uint64_t> {
protected:
    GpuAccounting() : rng(GetParam()) {
        std::vector<Gpu> there(gpus_there);
        for (std::size_t i = 0; i < there.size(); ++i) there[i].uuid = "GPU-" + std::to_string(i);
        NodeCapacity capacity = PaperNode::big_node();
        capacity.gpus = {{resource, gpus_there}};
        const auto behave = [this](const Object&, int) {
            PaperRuntime::Behaviour behaviour;
            if (rng.below(3) > 0) behaviour.runs = std::chrono::seconds(1 + rng.below(20));
            behaviour.code = static_cast<int>(rng.below(2));
            return behaviour;
        };
        node = std::make_unique<PaperNode>(cluster, behave, capacity, GpuPool(std::move(there), 1));
    }

    std::vector<ObjectPtr> pods() const {
        return cluster.store().list(kind_of("v1", "Pod"), "default");
    }

    void create() {
        const auto made = cluster.create(pod_of(++made_, 1 + static_cast<int>(rng.below(3))));
        ASSERT_TRUE(made) << made.error().message;
    }

    void remove_one() {
        const auto all = pods();
        if (all.empty()) return;
        const ObjectPtr victim = all[rng.below(all.size())];
        const Json at_once = {{"gracePeriodSeconds", 0}};
        static_cast<void>(cluster.remove(victim->key(), rng.below(2) == 0 ? at_once : Json()));
    }

    void check(const std::string& when) {
        int bound = 0, running = 0;
        for (const ObjectPtr& pod : pods()) {
            const std::string phase = string_at(pod->dom(), "status.phase");
            if (phase == "Succeeded" || phase == "Failed") continue;
            if (string_at(pod->dom(), "spec.nodeName").empty()) {
                EXPECT_THAT(string_at(condition_of(pod->dom(), "PodScheduled"), "message"),
                            testing::HasSubstr("1 Insufficient nvidia.com/gpu"))
                    << when << ": " << pod->name();
                continue;
            }
            bound += gpus_of(*pod);
            if (phase == "Running") running += gpus_of(*pod);
        }
        EXPECT_LE(bound, gpus_there) << when;
        EXPECT_LE(node->gpus().lent(), gpus_there) << when;
        EXPECT_GE(node->gpus().lent(), running) << when;
    }

    Rng rng;
    PaperCluster cluster;
    std::unique_ptr<PaperNode> node;
    int made_ = 0;
};

TEST_P(GpuAccounting, NeverGivesAwayMoreThanThereIsAndLosesNone) {
    for (int step = 0; step < 1000 && !HasFailure(); ++step) {
        if (rng.below(2) == 0 && pods().size() < 12) create();
        else remove_one();
        cluster.run_for(std::chrono::milliseconds(rng.below(3000)));
        check("step " + std::to_string(step));
    }
    for (const ObjectPtr& pod : pods()) static_cast<void>(cluster.remove(pod->key()));
    EXPECT_TRUE(cluster.run_until([&] { return pods().empty(); }, std::chrono::minutes(2)));
    cluster.run_for(std::chrono::seconds(1));
    EXPECT_EQ(node->gpus().lent(), 0);
    // All of them can be had again.
    ASSERT_TRUE(cluster.create(pod_of(0, gpus_there)));
    const auto runs = [&] { return string_at(pods()[0]->dom(), "status.phase") == "Running"; };
    EXPECT_TRUE(cluster.run_until(runs, std::chrono::minutes(2)));
    EXPECT_EQ(node->gpus().lent(), gpus_there);
}

INSTANTIATE_TEST_SUITE_P(Seeds, GpuAccounting, testing::Values(1u, 2u, 3u));

}  // namespace
}  // namespace shed
