#include "simulator/measure/compare.hpp"

#include "simulator/measure/paired.hpp"
#include "tests/measure/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shed::measure {
namespace {

using samples::normal;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::uint64_t> sizes{4, 65536};

BenchResult result(double flow, double bare, std::uint64_t seed, const std::string& pacing = "") {
    Rng rng(seed);
    const auto time = [&rng](double factor) {
        return [&rng, factor](std::uint64_t) { return 100 * factor * (1 + 0.01 * normal(rng)); };
    };
    std::vector<Pair> pairs;
    for (int i = 0; i < 9; ++i) {
        measure::Run first = samples::run(sizes, time(flow)),
                     second = samples::run(sizes, time(bare));
        first.facts.link = second.facts.link = pacing;
        pairs.push_back({std::move(first), std::move(second)});
    }
    return *summarise(pairs, {});
}

Comparison compared(const BenchResult& a, const BenchResult& b,
                    const CompareOptions& options = {}) {
    auto comparison = compare(a, b, options);
    EXPECT_TRUE(comparison) << comparison.error().message;
    return comparison ? *comparison : Comparison();
}

std::string refusal(const BenchResult& a, const BenchResult& b) {
    const auto comparison = compare(a, b, CompareOptions());
    return comparison ? "compared" : comparison.error().message;
}

TEST(Compare, EqualResultsAreOk) {
    const Comparison same = compared(result(1, 1, 1), result(1, 1, 2));
    EXPECT_EQ(same.verdict, Verdict::ok);
    EXPECT_EQ(same.exit_code(), 0);
    ASSERT_EQ(same.rows.size(), 2u);
    EXPECT_EQ(same.rows[1].name, "64 KiB");
    EXPECT_NEAR(same.rows[1].judgement.reference_us, 100, 2);
    EXPECT_THAT(same.warnings, IsEmpty());
}

TEST(Compare, ASlowerFlowIsARegressionAndAFasterOneIsNot) {
    const Comparison slower = compared(result(1, 1, 1), result(1.5, 1, 2));
    EXPECT_EQ(slower.verdict, Verdict::regression);
    EXPECT_EQ(slower.exit_code(), 1);
    EXPECT_THAT(slower.reasons.at(0), HasSubstr("4 B: "));
    const Comparison faster = compared(result(1.5, 1, 1), result(1, 1, 2));
    EXPECT_EQ(faster.verdict, Verdict::improvement);
    EXPECT_EQ(faster.exit_code(), 0);
    EXPECT_EQ(compared(result(1, 1, 1, "x"), result(1.05, 1, 2, "x")).verdict, Verdict::regression);
    EXPECT_EQ(compared(result(1, 1, 1), result(1.05, 1, 2)).verdict, Verdict::ok);
}

TEST(Compare, AMachineThatSlowedBothIsNoRegression) {
    const Comparison slower = compared(result(1, 1, 1), result(1.5, 1.5, 2));
    EXPECT_EQ(slower.verdict, Verdict::too_noisy);
    EXPECT_EQ(slower.exit_code(), 0);
    EXPECT_THAT(slower.reasons.at(0), HasSubstr("the machine changed"));
    EXPECT_THAT(slower.warnings, Contains(HasSubstr("nothing was proven")));
    const Comparison both = compared(result(1, 1, 1), result(3, 1.5, 2));
    EXPECT_EQ(both.verdict, Verdict::regression) << "the flow slowed by twice the machine's share";
}

TEST(Compare, WrongResultsAreARegression) {
    BenchResult wrong = result(1, 1, 2);
    wrong.rows[0].wrong = 3;
    EXPECT_THAT(compared(result(1, 1, 1), wrong).reasons, ElementsAre("4 B: 3 wrong elements"));
    const Comparison mended = compared(wrong, result(1, 1, 1));
    EXPECT_EQ(mended.verdict, Verdict::ok);
    EXPECT_THAT(mended.warnings, ElementsAre("4 B: 3 wrong elements in the first result"));
}

TEST(Compare, NamesTheFieldThatDiffers) {
    const BenchResult a = result(1, 1, 1);
    const auto changed = [&](auto change) {
        BenchResult b = a;
        change(b.configuration);
        return refusal(a, b);
    };
    EXPECT_THAT(changed([](Configuration& c) { c.ranks = 8; }),
                HasSubstr("differ in ranks: 4 and 8"));
    EXPECT_THAT(changed([](Configuration& c) { c.backend = "nccl"; }),
                HasSubstr("backend: mpi and nccl"));
    EXPECT_THAT(changed([](Configuration& c) { c.dtype = "float16"; }), HasSubstr("dtype: "));
    EXPECT_THAT(changed([](Configuration& c) { c.op = "max"; }), HasSubstr("op: sum and max"));
    EXPECT_THAT(changed([](Configuration& c) { c.in_place = true; }),
                HasSubstr("in_place: no and yes"));
    EXPECT_THAT(changed([](Configuration& c) { c.transports = {}; }),
                HasSubstr("transports: tcp and none"));
    EXPECT_THAT(changed([](Configuration& c) { c.tier = Tier::paced; }),
                HasSubstr("tier: raw and paced"));
    EXPECT_THAT(changed([](Configuration& c) { c.timing = "rank0"; }), HasSubstr("timing: "));
}

TEST(Compare, OtherLinkModelsAreRefused) {
    const BenchResult a = result(1, 1, 1, "x");
    BenchResult b = a;
    b.rows[1].target_us = 90;
    EXPECT_THAT(refusal(a, b), HasSubstr("paced to 0 us and 90.0 us at 64 KiB"));
}

TEST(Compare, RawResultsOfOtherMachinesNeedPermission) {
    const BenchResult a = result(1, 1, 1);
    BenchResult b = result(1, 1, 2);
    b.machine.cores = 64;
    EXPECT_THAT(
        refusal(a, b),
        HasSubstr("raw results cannot be compared, they were measured on different machines"));
    CompareOptions options;
    options.across_machines = true;
    EXPECT_THAT(compared(a, b, options).warnings, ElementsAre(HasSubstr("different machines")));
    BenchResult paced_a = result(1, 1, 1, "x"), paced_b = result(1, 1, 2, "x");
    paced_b.machine.cores = 64;
    EXPECT_THAT(compared(paced_a, paced_b).warnings, ElementsAre(HasSubstr("different machines")));
}

TEST(Compare, OnlyCommonSizesAreCompared) {
    const BenchResult a = result(1, 1, 1);
    BenchResult b = result(1, 1, 2);
    b.rows[1].bytes = 8;
    const Comparison part = compared(a, b);
    EXPECT_EQ(part.rows.size(), 1u);
    EXPECT_THAT(part.warnings, ElementsAre("64 KiB is in the first result only",
                                           "8 B is in the second result only"));
    b.rows[0].bytes = 16;
    EXPECT_THAT(refusal(a, b), HasSubstr("no size in common"));
}

TEST(Compare, RunsLeftOutDoNotCount) {
    const BenchResult a = result(1, 1, 1);
    BenchResult b = result(2, 1, 2);
    for (ResultRow& row : b.rows) row.flow.runs[0].left_out = "busy";
    EXPECT_EQ(compared(a, b).verdict, Verdict::too_noisy) << "eight runs are too few";
}

TEST(CompareSeries, GoesByName) {
    const std::vector<double> fast{10, 11, 12, 13, 14, 15, 16, 17, 18};
    std::vector<double> slow;
    for (const double us : fast) slow.push_back(3 * us);
    const auto comparison =
        compare({{"x", fast}, {"gone", fast}}, {{"new", fast}, {"x", slow}}, Thresholds());
    ASSERT_TRUE(comparison);
    EXPECT_EQ(comparison->verdict, Verdict::regression);
    EXPECT_EQ(comparison->rows.at(0).judgement.change, 2);
    EXPECT_THAT(comparison->warnings,
                ElementsAre("gone is in the first file only", "new is in the second file only"));
    EXPECT_FALSE(compare({{"x", fast}}, {{"y", fast}}, Thresholds()));
}

}  // namespace
}  // namespace shed::measure
