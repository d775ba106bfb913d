#include "simulator/measure/gate.hpp"

#include "tests/measure/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>

namespace shed::measure {
namespace {

using samples::normal;
using samples::uniform;
using testing::HasSubstr;

constexpr std::size_t sizes = 13;

// Quick intervals: the verdicts of these tests do not depend on them.
Thresholds quick() {
    Thresholds thresholds;
    thresholds.bootstrap.resamples = 1;
    return thresholds;
}

Verdict verdict_of(const std::vector<Samples>& all, Tier tier) {
    std::vector<Verdict> verdicts;
    for (const Judgement& judged : judge(all, tier, quick())) verdicts.push_back(judged.verdict);
    return overall(verdicts);
}

// A paced time: 1000 us, repeating to `spread` (one standard deviation).
double paced(Rng& rng, double spread, double slowdown = 1) {
    return 1000 * slowdown * (1 + spread * normal(rng));
}

// A raw time: log-normal, and in one of four runs four times slower, as seen on a shared machine.
double raw(Rng& rng, double slowdown = 1) {
    const double mode = uniform(rng) < 0.25 ? 4 : 1;
    return 100 * slowdown * mode * std::exp(0.2 * normal(rng));
}

template <class Reference, class Measured>
std::vector<Samples> family(std::size_t count, int runs, Reference reference, Measured measured) {
    std::vector<Samples> all(count);
    for (std::size_t i = 0; i < count; ++i)
        for (int run = 0; run < runs; ++run) {
            all[i].reference_us.push_back(reference());
            all[i].measured_us.push_back(measured(i));
        }
    return all;
}

TEST(Gate, FalseAlarmsAreRareOverAllSizesTogether) {
    Rng rng(1);
    int paced_alarms = 0, raw_alarms = 0;
    constexpr int experiments = 500;
    for (int i = 0; i < experiments; ++i) {
        const auto still = [&] { return paced(rng, 0.025); };
        paced_alarms += verdict_of(family(sizes, 9, still, [&](auto) { return still(); }),
                                   Tier::paced) != Verdict::ok;
        const auto busy = [&] { return raw(rng); };
        raw_alarms += verdict_of(family(sizes, 9, busy, [&](auto) { return busy(); }), Tier::raw) !=
                      Verdict::ok;
    }
    EXPECT_LE(paced_alarms, experiments * 2 / 100);
    EXPECT_LE(raw_alarms, experiments * 2 / 100);
}

TEST(Gate, PacedRunsCatchASlowdownOfFivePercent) {
    Rng rng(2);
    int everywhere = 0, one_size = 0;
    constexpr int experiments = 200;
    for (int i = 0; i < experiments; ++i) {
        const auto still = [&] { return paced(rng, 0.01); };
        everywhere +=
            verdict_of(family(sizes, 9, still, [&](auto) { return paced(rng, 0.025, 1.05); }),
                       Tier::paced) == Verdict::regression;
        one_size +=
            verdict_of(family(sizes, 9, still,
                              [&](auto size) { return paced(rng, 0.01, size == 4 ? 1.05 : 1); }),
                       Tier::paced) == Verdict::regression;
    }
    EXPECT_GE(everywhere, experiments * 99 / 100);
    EXPECT_GE(one_size, experiments * 95 / 100);
}

TEST(Gate, RawRunsCatchAFactorOfFour) {
    Rng rng(3);
    int caught = 0;
    constexpr int experiments = 100;
    for (int i = 0; i < experiments; ++i)
        caught += verdict_of(family(
                                 sizes, 9, [&] { return 100 * std::exp(0.1 * normal(rng)); },
                                 [&](auto) { return 400 * std::exp(0.1 * normal(rng)); }),
                             Tier::raw) == Verdict::regression;
    EXPECT_EQ(caught, experiments);
}

std::vector<double> around(double middle, double step, int runs = 9) {
    std::vector<double> values;
    for (int i = 0; i < runs; ++i) values.push_back(middle + step * (i - runs / 2));
    return values;
}

Judgement one(const std::vector<double>& reference, const std::vector<double>& measured,
              Tier tier) {
    return judge({{"64 KiB", reference, measured}}, tier, quick()).at(0);
}

TEST(Gate, ADifferenceMustExceedTheTolerance) {
    EXPECT_EQ(one(around(100, 0.01), around(102.9, 0.01), Tier::paced).verdict, Verdict::ok);
    EXPECT_EQ(one(around(100, 0.01), around(103.2, 0.01), Tier::paced).verdict,
              Verdict::regression);
    EXPECT_EQ(one(around(100, 0.01), around(96.8, 0.01), Tier::paced).verdict,
              Verdict::improvement);
    EXPECT_EQ(one(around(100, 0.01), around(124, 0.01), Tier::raw).verdict, Verdict::ok);
    EXPECT_EQ(one(around(100, 0.01), around(126, 0.01), Tier::raw).verdict, Verdict::regression);
}

// Steps of 10 have a deviation of 20: three of them are 60 %, more than 25 %.
TEST(Gate, ANoisyReferenceWidensTheRawTolerance) {
    EXPECT_DOUBLE_EQ(one(around(100, 10), around(155, 1), Tier::raw).tolerance, 0.6);
    EXPECT_EQ(one(around(100, 10), around(155, 1), Tier::raw).verdict, Verdict::ok);
    EXPECT_EQ(one(around(100, 10), around(165, 1), Tier::raw).verdict, Verdict::regression);
}

TEST(Gate, ADifferenceMustBeSignificant) {
    const std::vector<double> mixed{99, 200, 99, 200, 99, 200, 99, 200, 200};
    const Judgement judged = one(around(100, 0.01), mixed, Tier::raw);
    EXPECT_GT(judged.change, judged.tolerance);
    EXPECT_EQ(judged.verdict, Verdict::ok);
}

TEST(Gate, TooFewRunsAreTooNoisyAndSayWhatIsNeeded) {
    std::vector<Samples> all(
        sizes, {"4 B", around(1, 0.01, 6), around(2, 0.01, 6), "3 runs used by others"});
    for (const Judgement& judged : judge(all, Tier::paced, quick())) {
        EXPECT_EQ(judged.verdict, Verdict::too_noisy);
        EXPECT_THAT(judged.reason,
                    HasSubstr("6 usable runs of each side, at least 7 are needed: 3 runs"));
    }
    EXPECT_EQ(runs_needed(1, 0.01), 5);
    EXPECT_EQ(runs_needed(13, 0.01), 7);
    EXPECT_EQ(one({}, {}, Tier::raw).verdict, Verdict::too_noisy);
}

TEST(Gate, TheReasonHasFigures) {
    const Judgement judged = one(around(100, 0.01), around(110, 0.01), Tier::paced);
    EXPECT_EQ(judged.reason, "100 us -> 110 us, +10.0 % slower, more than 3.0 % (p < 0.0001)");
}

TEST(Gate, PairsCancelADriftThatBothShare) {
    Samples drifting{"1 MiB", around(100, 10), {}, "", true};
    for (const double us : drifting.reference_us) drifting.measured_us.push_back(us * 1.1);
    const auto paired = judge({drifting}, Tier::raw, {}).at(0).change_interval;
    EXPECT_NEAR(paired.low, 0.1, 1e-9);
    EXPECT_NEAR(paired.high, 0.1, 1e-9);
    drifting.paired = false;
    const auto apart = judge({drifting}, Tier::raw, {}).at(0).change_interval;
    EXPECT_LT(apart.low, 0);
    EXPECT_GT(apart.high, 0.2);
}

TEST(Gate, TheWorstVerdictIsTheOverallOne) {
    using enum Verdict;
    EXPECT_EQ(overall({}), ok);
    EXPECT_EQ(overall({ok, improvement}), improvement);
    EXPECT_EQ(overall({improvement, too_noisy, ok}), too_noisy);
    EXPECT_EQ(overall({too_noisy, regression}), regression);
    EXPECT_EQ(exit_code(regression), 1);
    EXPECT_EQ(exit_code(too_noisy), 0);
}

}  // namespace
}  // namespace shed::measure
