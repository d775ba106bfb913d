#include "fakes/kubelet/usage.hpp"

#include <gtest/gtest.h>

namespace shed {
namespace {

using namespace std::chrono_literals;
constexpr std::int64_t second_ns = 1'000'000'000;

class UsageMeterTest : public testing::Test {
protected:
    ContainerReading reading(std::int64_t cpu_ns, std::string container = "main") {
        ContainerReading made;
        made.pod_uid = "u";
        made.container = std::move(container);
        made.started = start;
        made.used.cpu_ns = cpu_ns;
        made.used.memory_bytes = 4096;
        return made;
    }
    PodUsage at(std::chrono::steady_clock::duration after, std::vector<ContainerReading> readings) {
        const auto pods = meter.measure(readings, start + after);
        return pods.empty() ? PodUsage() : pods.front();
    }

    UsageMeter meter;
    const std::chrono::steady_clock::time_point start{1000s};
};

TEST_F(UsageMeterTest, BeginsWithTheMeanSinceTheStart) {
    const PodUsage used = at(4s, {reading(2 * second_ns)});
    ASSERT_EQ(used.containers.size(), 1u);
    EXPECT_EQ(used.uid, "u");
    EXPECT_EQ(used.window, Duration(4s));
    EXPECT_EQ(used.containers[0].cpu_nanocores, second_ns / 2);
    EXPECT_EQ(used.containers[0].memory_bytes, 4096);
}

TEST_F(UsageMeterTest, GoesOnWithTheMeanSinceTheLastReading) {
    at(4s, {reading(2 * second_ns)});
    const PodUsage used = at(6s, {reading(5 * second_ns)});
    EXPECT_EQ(used.window, Duration(2s));
    EXPECT_EQ(used.containers[0].cpu_nanocores, 3 * second_ns / 2);
}

TEST_F(UsageMeterTest, GivesWhoeverAsksAtOnceAgainTheSameAnswer) {
    at(4s, {reading(2 * second_ns)});
    const PodUsage again = at(4s + 100ms, {reading(3 * second_ns)});
    EXPECT_EQ(again.window, Duration(4s));
    EXPECT_EQ(again.containers[0].cpu_nanocores, second_ns / 2);
    const PodUsage later = at(6s, {reading(3 * second_ns)});
    EXPECT_EQ(later.containers[0].cpu_nanocores, second_ns / 2) << "since 4 s, not since 4.1 s";
}

TEST_F(UsageMeterTest, BeginsAnewWithARestartedContainer) {
    at(4s, {reading(2 * second_ns)});
    ContainerReading restarted = reading(second_ns);
    restarted.started = start + 5s;
    const PodUsage used = at(6s, {restarted});
    EXPECT_EQ(used.window, Duration(1s));
    EXPECT_EQ(used.containers[0].cpu_nanocores, second_ns);
}

TEST_F(UsageMeterTest, LeavesOutWhatNobodyCounts) {
    ContainerReading unknown = reading(0, "sidecar");
    unknown.used.memory_bytes.reset();
    const PodUsage used = at(1s, {reading(0), unknown});
    ASSERT_EQ(used.containers.size(), 1u);
    EXPECT_EQ(used.containers[0].name, "main");
    EXPECT_TRUE(at(2s, {unknown}).containers.empty());
}

}  // namespace
}  // namespace shed
