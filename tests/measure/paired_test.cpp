#include "simulator/measure/paired.hpp"

#include "tests/measure/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed::measure {
namespace {

using samples::normal;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::uint64_t> sizes{4, 1024, 65536, 1048576};

double base_us(std::uint64_t bytes) { return 50 + static_cast<double>(bytes) / 500; }

// `slowdown` of the flow; both repeat to 1 %.
std::vector<Pair> pairs(int count, double slowdown, std::uint64_t seed = 5) {
    Rng rng(seed);
    const auto time = [&rng](double factor) {
        return [&rng, factor](std::uint64_t bytes) {
            return base_us(bytes) * factor * (1 + 0.01 * normal(rng));
        };
    };
    std::vector<Pair> out;
    for (int i = 0; i < count; ++i) {
        Run flow = samples::run(sizes, time(slowdown));
        out.push_back({std::move(flow), samples::run(sizes, time(1))});
    }
    return out;
}

void pace(std::vector<Pair>& all) {
    for (Pair& pair : all)
        for (Run* run : {&pair.flow, &pair.bare}) {
            run->facts.link = "/somewhere/10g.link";
            for (RunRow& row : run->rows) row.target_us = base_us(row.bytes);
        }
}

BenchResult summary(const std::vector<Pair>& all, const Thresholds& thresholds = {}) {
    auto result = summarise(all, thresholds);
    EXPECT_TRUE(result) << result.error().message;
    return result ? *result : BenchResult();
}

std::string error_of(const std::vector<Pair>& all) {
    const auto result = summarise(all, {});
    return result ? "no error" : result.error().message;
}

TEST(Summarise, TakesMediansOverRunsAndRatiosOverPairs) {
    std::vector<Pair> all = pairs(3, 1);
    const double flow[] = {10, 40, 12}, bare[] = {5, 8, 12};
    for (std::size_t i = 0; i < 3; ++i) {
        all[i].flow.rows[0].p50_us = flow[i];
        all[i].bare.rows[0].p50_us = bare[i];
    }
    const BenchResult result = summary(all);
    const ResultRow& row = result.rows.at(0);
    EXPECT_EQ(row.bytes, 4u);
    EXPECT_DOUBLE_EQ(row.flow.p50_us, 12);
    EXPECT_DOUBLE_EQ(row.flow.mad_us, 2);
    EXPECT_DOUBLE_EQ(row.bare->p50_us, 8);
    EXPECT_DOUBLE_EQ(row.ratio, 0.5) << "of 0.5, 0.2 and 1";
    EXPECT_DOUBLE_EQ(row.change, 1);
    EXPECT_LE(row.ratio_interval.low, row.ratio);
    EXPECT_GE(row.ratio_interval.high, row.ratio);
    EXPECT_DOUBLE_EQ(row.flow.algbw_GBps, 4 / 12e3);
    EXPECT_EQ(row.flow.samples, 33u);
    EXPECT_LT(row.flow.p10_us, row.flow.p90_us);
    EXPECT_EQ(row.verdict, Verdict::too_noisy) << "three pairs tell nothing";
}

TEST(Summarise, EqualSidesAreOk) {
    std::vector<Pair> all = pairs(9, 1);
    pace(all);
    const BenchResult result = summary(all);
    EXPECT_EQ(result.verdict, Verdict::ok);
    EXPECT_THAT(result.reasons, IsEmpty());
    EXPECT_EQ(result.configuration.tier, Tier::paced);
    EXPECT_EQ(result.configuration.pacing, "10g.link, 2.15 ms at 1 MiB");
    EXPECT_DOUBLE_EQ(result.rows[0].target_us, base_us(4));
}

TEST(Summarise, APacedSlowdownOfFivePercentIsARegression) {
    std::vector<Pair> all = pairs(9, 1.05);
    pace(all);
    const BenchResult result = summary(all);
    EXPECT_EQ(result.verdict, Verdict::regression);
    ASSERT_FALSE(result.reasons.empty());
    EXPECT_THAT(result.reasons[0], HasSubstr(" slower, more than 3.0 %"));
    EXPECT_EQ(summary(pairs(9, 1.05)).verdict, Verdict::ok) << "raw runs cannot tell five percent";
    EXPECT_EQ(summary(pairs(9, 1.4)).verdict, Verdict::regression);
    EXPECT_EQ(summary(pairs(9, 0.6)).verdict, Verdict::improvement);
}

TEST(Summarise, WrongResultsAreARegressionHoweverFast) {
    std::vector<Pair> all = pairs(9, 0.5);
    all[3].flow.rows[2].wrong = 2;
    const BenchResult result = summary(all);
    EXPECT_EQ(result.verdict, Verdict::regression);
    EXPECT_THAT(result.reasons,
                ElementsAre("64 KiB: 2 wrong elements in the results of 1800 calls"));
    EXPECT_EQ(result.rows[2].wrong, 2);
}

TEST(Summarise, WrongResultsOutsideTheRowsCountToo) {
    std::vector<Pair> all = pairs(9, 1);
    all[1].bare.wrong = 1;
    const BenchResult result = summary(all);
    EXPECT_EQ(result.verdict, Verdict::regression);
    EXPECT_THAT(result.reasons,
                ElementsAre("bare run 2: 1 wrong element outside the measured calls"));
}

TEST(Summarise, CallCountsMatterWhereTheyAreFixed) {
    std::vector<Pair> all = pairs(9, 1);
    all[8].bare.rows[0].iterations = 99;
    EXPECT_EQ(summary(all).verdict, Verdict::ok);
    Thresholds fixed;
    fixed.calls_fixed = true;
    const BenchResult result = summary(all, fixed);
    EXPECT_EQ(result.verdict, Verdict::regression);
    EXPECT_THAT(result.reasons, ElementsAre("4 B: calls per run differ: 100 and 99"));
}

TEST(Summarise, ARunDisturbedByOthersIsLeftOutWithItsPair) {
    std::vector<Pair> all = pairs(10, 1);
    all[2].bare.rows[1].other_cpu_share = 0.4;
    all[2].bare.rows[1].p50_us = 1e6;
    const BenchResult result = summary(all);
    EXPECT_EQ(result.verdict, Verdict::ok) << "nine pairs are left";
    EXPECT_EQ(result.rows[1].bare->runs[2].left_out, "40.0 % of the processors used by others");
    EXPECT_EQ(result.rows[1].flow.runs[2].left_out,
              "its bare run: 40.0 % of the processors used by others");
    EXPECT_THAT(result.rows[0].flow.runs[2].left_out, IsEmpty());
    EXPECT_EQ(result.noise.at(4).side, "flow");
    EXPECT_EQ(result.noise.at(5).sizes_left_out, 1);
    EXPECT_DOUBLE_EQ(result.noise.at(5).other_cpu_share, 0.4);
}

TEST(Summarise, ABusyMachineIsTooNoisyNotARegression) {
    std::vector<Pair> all = pairs(9, 2);
    for (Pair& pair : all) pair.flow.pressure_share = 0.5;
    const BenchResult result = summary(all);
    EXPECT_EQ(result.verdict, Verdict::too_noisy);
    EXPECT_THAT(result.reasons.at(0),
                HasSubstr("4 B: 0 usable runs of each side, at least 9 are needed: 9 are left out "
                          "(50.0 % processor pressure before the run, ...)"));
    EXPECT_GT(result.rows[0].flow.p50_us, 0) << "there is still something to show";
}

TEST(Summarise, APacedRunIsVoidWhenTooManyCallsMissedTheModel) {
    std::vector<Pair> all = pairs(9, 1.05);
    pace(all);
    for (Pair& pair : all) {
        pair.flow.pressure_share = 0.9;  // of no concern to a paced run
        for (RunRow& row : pair.flow.rows) row.infeasible_share = 0.06;
    }
    EXPECT_EQ(summary(all).verdict, Verdict::too_noisy);
    for (Pair& pair : all)
        for (RunRow& row : pair.flow.rows) row.infeasible_share = 0.05;
    EXPECT_EQ(summary(all).verdict, Verdict::regression) << "5 % is still allowed";
}

TEST(Summarise, RunsThatCannotBeComparedAreRefused) {
    EXPECT_THAT(error_of({}), HasSubstr("no runs"));
    std::vector<Pair> all = pairs(2, 1);
    all[1].flow.facts.ranks = 2;
    EXPECT_EQ(error_of(all), "flow run 1 and flow run 2 differ in ranks: 4 and 2");
    all = pairs(2, 1);
    all[0].bare.facts.dtype = "bfloat16";
    EXPECT_EQ(error_of(all), "flow run 1 and bare run 1 differ in dtype: float32 and bfloat16");
    all = pairs(2, 1);
    all[1].bare.rows.pop_back();
    EXPECT_EQ(error_of(all), "bare run 2 measured 3 sizes, flow run 1 4");
    all = pairs(2, 1);
    all[1].bare.rows[3].bytes = 8;
    EXPECT_EQ(error_of(all), "bare run 2 did not measure 1 MiB");
    all = pairs(2, 1);
    all[1].flow.rows[3].count = 8;
    EXPECT_THAT(error_of(all), HasSubstr("flow run 2 reduced 8 elements of 1 MiB"));
}

TEST(Summarise, LinkModelsMustSayTheSameWhateverTheirFiles) {
    std::vector<Pair> all = pairs(2, 1);
    pace(all);
    for (Pair& pair : all) pair.bare.facts.link = "/elsewhere/link";
    EXPECT_EQ(error_of(all), "no error");
    all[1].bare.rows[0].target_us *= 1.1;
    EXPECT_EQ(error_of(all), "bare run 2 was paced to 55.0 us at 4 B, flow run 1 to 50.0 us");
}

TEST(Summarise, ACallMadeLongerOnPurposeIsNoted) {
    std::vector<Pair> all = pairs(2, 1);
    for (Pair& pair : all) pair.flow.facts.delay_percent = 20;
    EXPECT_THAT(summary(all).notes,
                testing::Contains("flow calls were made 20 % longer on purpose"));
}

TEST(Summarise, NotesSayWhatTheRatioIncludes) {
    std::vector<Pair> all = pairs(2, 1);
    for (Pair& pair : all) pair.bare.facts.transports = {"vader"};
    EXPECT_THAT(summary(all).notes,
                ElementsAre("flow and bare differ in transports: tcp and vader; the ratio "
                            "includes that",
                            "4 ranks share 2 cores"));
}

TEST(Summarise, FlowAloneHasFiguresAndNoRatio) {
    std::vector<measure::Run> runs;
    for (Pair& pair : pairs(3, 1)) runs.push_back(pair.flow);
    const auto result = summarise(runs, {});
    ASSERT_TRUE(result);
    EXPECT_EQ(result->verdict, Verdict::ok);
    EXPECT_FALSE(result->rows[0].bare);
    EXPECT_EQ(result->noise.size(), 3u);
    runs[0].rows[0].wrong = 1;
    EXPECT_EQ(summarise(runs, {})->verdict, Verdict::regression);
}

TEST(MedianLaunch, IsTakenStageByStage) {
    const auto launch = [](double first, double second) {
        return Launch{"flow", {{"pods ready", first}, {"MPI_Init", second}}};
    };
    const Launch median =
        median_launch({launch(1, 9), launch(2, 7), launch(9, 8), {"flow", {{"other", 1}}}});
    EXPECT_DOUBLE_EQ(median.stages.at(0).seconds, 2);
    EXPECT_DOUBLE_EQ(median.stages.at(1).seconds, 8);
    EXPECT_THAT(median_launch({}).stages, IsEmpty());
}

}  // namespace
}  // namespace shed::measure
