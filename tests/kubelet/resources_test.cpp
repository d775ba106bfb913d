#include "fakes/kubelet/resources.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

constexpr std::int64_t cores = 4, pids = 1024;

Json container(Json requests, Json limits) {
    return {{"name", "c"},
            {"resources", {{"requests", std::move(requests)}, {"limits", std::move(limits)}}}};
}

Json pod(std::vector<Json> containers, std::vector<Json> inits = {}) {
    return {{"containers", std::move(containers)}, {"initContainers", std::move(inits)}};
}

CgroupLimits of_first(const Json& spec) {
    return container_limits(spec, spec["containers"][0], cores);
}

TEST(Resources, OfAContainerAreTheKubelets) {
    const Json spec = pod({container({{"cpu", "250m"}}, {{"cpu", "500m"}, {"memory", "64Mi"}})});
    CgroupLimits expected;
    expected.own_cpu = true;
    expected.cpu_shares = 256;
    expected.cpu_quota_us = 50'000;
    expected.memory_bytes = 64 << 20;
    expected.die_as_one = true;
    EXPECT_EQ(of_first(spec), expected);
}

TEST(Resources, TakeTheLimitForAMissingRequest) {
    EXPECT_EQ(of_first(pod({container({}, {{"cpu", "2"}})})).cpu_shares, 2048);
}

TEST(Resources, LeaveOutACpuLimitThatCannotHoldAnybodyBack) {
    for (const char* limit : {"4", "64"}) {
        const CgroupLimits limits = of_first(pod({container({}, {{"cpu", limit}})}));
        EXPECT_FALSE(limits.cpu_quota_us) << limit;
        EXPECT_FALSE(limits.own_cpu) << limit;
    }
    EXPECT_EQ(of_first(pod({container({}, {{"cpu", "3999m"}})})).cpu_quota_us, 399'900);
}

TEST(Resources, OfAPodAreTheSumsOfItsContainers) {
    const Json one = container({{"cpu", "1"}}, {{"cpu", "2"}, {"memory", "1Gi"}}),
               two = container({}, {{"cpu", "500m"}, {"memory", "512Mi"}});
    const CgroupLimits limits = pod_limits(pod({one, two}), cores, pids);
    EXPECT_TRUE(limits.own_cpu);
    EXPECT_EQ(limits.cpu_shares, 1536);
    EXPECT_EQ(limits.cpu_quota_us, 250'000);
    EXPECT_EQ(limits.memory_bytes, std::int64_t(1536) << 20);
    EXPECT_EQ(limits.pids, pids);
    EXPECT_FALSE(limits.die_as_one) << "other containers go on";
}

TEST(Resources, DoNotLimitAPodOfWhichOneContainerIsNotLimited) {
    const Json limited = container({}, {{"cpu", "1"}, {"memory", "1Gi"}}),
               free = container({{"cpu", "1"}}, {});
    for (const Json& spec : {pod({limited, free}), pod({limited}, {free})}) {
        const CgroupLimits limits = pod_limits(spec, cores, pids);
        EXPECT_FALSE(limits.cpu_quota_us);
        EXPECT_FALSE(limits.memory_bytes);
        EXPECT_TRUE(limits.own_cpu);
    }
    EXPECT_EQ(pod_limits(pod({Json{{"name", "c"}}}), cores, pids).cpu_shares, 2);
}

TEST(Resources, OfAPodHaveRoomForItsLargestInitContainerBesideEarlierSidecars) {
    Json sidecar = container({}, {{"cpu", "1"}, {"memory", "1Gi"}});
    sidecar["restartPolicy"] = "Always";
    const Json init = container({}, {{"cpu", "2"}, {"memory", "3Gi"}}),
               app = container({}, {{"cpu", "1"}, {"memory", "1Gi"}});
    const std::int64_t gibibyte = 1 << 30;
    EXPECT_EQ(pod_limits(pod({app}, {sidecar, init}), cores, pids).memory_bytes, 4 * gibibyte);
    EXPECT_EQ(pod_limits(pod({app}, {init, sidecar}), cores, pids).memory_bytes, 3 * gibibyte);
    EXPECT_EQ(pod_limits(pod({app, app, app}, {sidecar, init}), cores, pids).memory_bytes,
              4 * gibibyte);
}

}  // namespace
}  // namespace shed::kubelet
