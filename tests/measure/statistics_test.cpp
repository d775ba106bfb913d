#include "simulator/measure/statistics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/base/rng.hpp"

#include <numeric>

namespace shed::measure {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;
using Sample = std::vector<double>;

constexpr double rounding = 1e-12;

// Values of numpy 2.4: numpy.quantile(values, q).
TEST(Quantile, InterpolatesAsNumpyDoes) {
    const Sample values{4, 1, 3, 2};
    EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
    EXPECT_DOUBLE_EQ(quantile(values, 0.1), 1.3);
    EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.75);
    EXPECT_DOUBLE_EQ(quantile(values, 0.9), 3.7);
    EXPECT_DOUBLE_EQ(quantile(values, 1), 4);
    EXPECT_DOUBLE_EQ(median(values), 2.5);
    EXPECT_DOUBLE_EQ(quantile(Sample{7}, 0.3), 7);
}

TEST(MedianAbsoluteDeviation, IgnoresOneOutlier) {
    EXPECT_DOUBLE_EQ(median_absolute_deviation(Sample{1, 1, 2, 2, 4, 6, 9}), 1);
    EXPECT_DOUBLE_EQ(median_absolute_deviation(Sample{10, 11, 12, 13, 1e9}), 1);
}

struct RankCase {
    const char* name;
    Sample x, y;
    double u, p;
    bool exact;
};

void PrintTo(const RankCase& c, std::ostream* out) { *out << c.name; }

class MannWhitneyTest : public testing::TestWithParam<RankCase> {};

TEST_P(MannWhitneyTest, AgreesWithScipy) {
    const auto& [name, x, y, u, p, exact] = GetParam();
    const MannWhitney found = mann_whitney(x, y);
    EXPECT_DOUBLE_EQ(found.u, u);
    EXPECT_THAT(found.p, DoubleNear(p, rounding));
    EXPECT_EQ(found.exact, exact);
    const MannWhitney swapped = mann_whitney(y, x);
    EXPECT_DOUBLE_EQ(swapped.p, found.p);
    EXPECT_DOUBLE_EQ(swapped.u + found.u, static_cast<double>(x.size() * y.size()));
}

Sample counting(int n, double from) {
    Sample values(static_cast<std::size_t>(n));
    std::iota(values.begin(), values.end(), from);
    return values;
}

// p of scipy 1.17.1, mannwhitneyu(x, y, alternative='two-sided', method='exact' or 'asymptotic').
const RankCase rank_cases[] = {
    {"scipy's own example", {19, 22, 16, 29, 24}, {20, 11, 17, 12}, 17, 0.1111111111111111, true},
    {"ties", {1, 1, 2, 2, 3}, {2, 3, 3, 4, 4, 4}, 3, 0.030423784148462706, false},
    {"depression scores",
     {1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30},
     {0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29},
     58,
     0.13291945818531892,
     false},
    {"nothing but ties", {5, 5, 5}, {5, 5, 5}, 4.5, 1, false},
    {"nine apart from nine", counting(9, 1), counting(9, 10), 0, 4.113533525298231e-05, true},
    {"thirty against thirty", counting(30, 1), counting(30, 5.5), 325, 0.0653991147132789, true},
};
INSTANTIATE_TEST_SUITE_P(Samples, MannWhitneyTest, testing::ValuesIn(rank_cases));

TEST(MannWhitneyTest, AnEmptySampleSaysNothing) {
    EXPECT_DOUBLE_EQ(mann_whitney({}, Sample{1, 2}).p, 1);
}

TEST(MannWhitneyTest, SmallestPIsThatOfSamplesApart) {
    EXPECT_DOUBLE_EQ(smallest_p(9), mann_whitney(counting(9, 1), counting(9, 10)).p);
    EXPECT_DOUBLE_EQ(smallest_p(1), 1);
}

// R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")
TEST(Holm, AdjustsAsR) {
    EXPECT_THAT(holm(Sample{0.01, 0.04, 0.03, 0.005}),
                ElementsAre(DoubleNear(0.03, rounding), DoubleNear(0.06, rounding),
                            DoubleNear(0.06, rounding), DoubleNear(0.02, rounding)));
    EXPECT_TRUE(holm({}).empty());
    EXPECT_THAT(holm(Sample{0.9, 0.8}), ElementsAre(1, 1));
}

TEST(BootstrapTest, SameSeedSameInterval) {
    const Sample values{1, 2, 3, 4, 5, 6, 7, 8, 9};
    EXPECT_EQ(median_interval(values, {}), median_interval(values, {}));
    EXPECT_EQ(median_ratio_interval(values, values, {}), median_ratio_interval(values, values, {}));
}

// Were the interval that of another level or of the mean, the truth would be inside far more or
// less often.
TEST(BootstrapTest, IntervalHoldsTheTrueMedianAboutAsOftenAsItSays) {
    Rng rng(7);
    int inside = 0;
    constexpr int experiments = 400;
    for (int i = 0; i < experiments; ++i) {
        Sample values;
        for (int k = 0; k < 25; ++k) values.push_back(static_cast<double>(rng.below(1'000'001)));
        const auto [low, high] = median_interval(values, {0.95, 300, rng.next()});
        inside += low <= 500'000 && 500'000 <= high;
    }
    EXPECT_GE(inside, experiments * 90 / 100);
    EXPECT_LE(inside, experiments * 99 / 100);
}

TEST(BootstrapTest, RatioOfMediansIsInItsInterval) {
    const Sample above{20, 21, 22, 19, 20}, below{10, 11, 10, 9, 10};
    const auto [low, high] = median_ratio_interval(above, below, {});
    EXPECT_LT(low, 2);
    EXPECT_GT(high, 2);
    EXPECT_GT(low, 1.5);
    EXPECT_LT(high, 2.5);
}

TEST(TheilSen, OneOutlierDoesNotBendTheSlope) {
    EXPECT_DOUBLE_EQ(theil_sen_slope(Sample{0, 1, 2, 3, 4}, Sample{0, 2, 4, 100, 8}), 2);
    EXPECT_DOUBLE_EQ(theil_sen_slope(Sample{1, 1}, Sample{0, 2}), 0);
}

}  // namespace
}  // namespace shed::measure
