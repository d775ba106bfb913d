#include "bench/allreduce/blocks.hpp"
#include "bench/allreduce/machine.hpp"
#include "bench/allreduce/statistics.hpp"

#include <gtest/gtest.h>

namespace allreduce {
namespace {

TEST(Statistics, AreThoseOfNumpy) {
    // numpy.percentile([4, 1, 3, 2, 100], [50, 95, 99]) and the median of |x - 3|.
    const Summary summary = summarize({4, 1, 3, 2, 100});
    EXPECT_DOUBLE_EQ(summary.min, 1);
    EXPECT_DOUBLE_EQ(summary.p50, 3);
    EXPECT_DOUBLE_EQ(summary.p95, 80.8);
    EXPECT_DOUBLE_EQ(summary.p99, 96.16);
    EXPECT_DOUBLE_EQ(summary.mad, 1);
    EXPECT_DOUBLE_EQ(summary.mean, 22);
}

TEST(Statistics, OfOneSampleAndOfNone) {
    EXPECT_DOUBLE_EQ(summarize({7}).p99, 7);
    EXPECT_DOUBLE_EQ(summarize({7}).mad, 0);
    EXPECT_DOUBLE_EQ(summarize({}).p50, 0);
}

TEST(Bandwidth, IsThatOfNcclTests) {
    const Bandwidth speed = bandwidth(1e9, 1e6, 4);  // 1 GB in 1 s
    EXPECT_DOUBLE_EQ(speed.algorithm, 1);
    EXPECT_DOUBLE_EQ(speed.bus, 1.5);
    EXPECT_DOUBLE_EQ(bandwidth(1e9, 1e6, 1).bus, 0);
    EXPECT_DOUBLE_EQ(bandwidth(1e9, 0, 2).algorithm, 0);
}

// All calls of a loop whose calls take `call_s`.
int calls_made(double call_s, int iterations, double budget_s) {
    int done = 0;
    while (const int next = next_block(done, done * call_s, iterations, budget_s)) done += next;
    return done;
}

TEST(Blocks, EndAtTheIterationsOrAtTheBudget) {
    EXPECT_EQ(calls_made(1e-6, 1000, 1), 1000);
    EXPECT_NEAR(calls_made(0.01, 1000, 1), 100, 1);
    EXPECT_EQ(calls_made(0, 50, 1), 50);
}

TEST(Blocks, MakeFiveCallsHoweverLongUnlessFewerAreWanted) {
    EXPECT_EQ(calls_made(100, 1000, 1), 5);
    EXPECT_EQ(calls_made(100, 2, 1), 2);
}

TEST(Blocks, NoticeWhenTheMachineTurnsSlow) {
    // 5 calls took 1 ms; the next block takes a second.
    const int next = next_block(5, 0.001, 100'000, 1);
    EXPECT_LE(next, 1250);
    EXPECT_EQ(next_block(5 + next, 1.001, 100'000, 1), 0);
}

TEST(CpuTime, CountsStealAsBusyAndIowaitAsIdle) {
    const auto time = parse_cpu_time("cpu  100 20 30 400 50 6 7 8 9 9\ncpu0 1 2 3 4\n", 100);
    ASSERT_TRUE(time);
    EXPECT_DOUBLE_EQ(time->total_s, 6.21);
    EXPECT_DOUBLE_EQ(time->busy_s, 1.71);
    EXPECT_FALSE(parse_cpu_time("", 100));
    EXPECT_FALSE(parse_cpu_time("intr 1 2 3 4 5 6 7 8", 100));
}

TEST(OtherCpuShare, IsWhatNoRankOfTheMachineUsed) {
    // Two ranks on one machine of two CPUs, for two seconds: half the time was others'.
    const std::vector<CpuUse> busy = {{0, 4, 4, 1}, {0, 4, 4, 1}};
    EXPECT_DOUBLE_EQ(other_cpu_share(busy), 0.5);
    // The worst machine counts; ranks may have used a tick more than the kernel booked.
    const std::vector<CpuUse> two = {{0, 1, 4, 1.01}, {1, 2, 4, 1}};
    EXPECT_DOUBLE_EQ(other_cpu_share(two), 0.25);
    EXPECT_DOUBLE_EQ(other_cpu_share({{0, 0.5, 4, 0.6}}), 0);
    EXPECT_DOUBLE_EQ(other_cpu_share({{0, 0, 0, 0}}), 0);
}

TEST(Binding, IsNoneWhereARankMayUseAllThatItsLauncherMay) {
    EXPECT_EQ(binding_name(2, 2, 2), "none");
    EXPECT_EQ(binding_name(2, 2, 64), "none");  // a container's two CPUs are no binding
    EXPECT_EQ(binding_name(1, 2, 2), "core");
    EXPECT_EQ(binding_name(4, 8, 8), "4 cpus");
}

}  // namespace
}  // namespace allreduce
