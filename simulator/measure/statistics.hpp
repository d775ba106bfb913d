#pragma once
// Robust statistics of small samples. Units are the caller's. Every resampling is seeded: the same
// input gives the same answer on every machine. No function takes an empty sample unless it says
// so.
#include <cstdint>
#include <span>
#include <vector>

namespace shed::measure {

// The q-quantile, 0 <= q <= 1, by linear interpolation between order statistics at h = (n - 1) q:
// type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (The American Statistician
// 50(4), 1996); numpy's and R's default.
double quantile(std::span<const double> values, double q);
double median(std::span<const double> values);
// Median absolute deviation from the median, not scaled: 1.4826 times it estimates a normal
// standard deviation.
double median_absolute_deviation(std::span<const double> values);

struct Interval {
    double low = 0;
    double high = 0;
    bool operator==(const Interval&) const = default;
};

struct Bootstrap {
    double confidence = 0.95;
    int resamples = 2000;  // at least 1
    std::uint64_t seed = 1;
};

// Percentile intervals (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter
// 13).
Interval median_interval(std::span<const double> values, const Bootstrap& bootstrap);
// Of median(numerator) / median(denominator), each resampled by itself.
Interval median_ratio_interval(std::span<const double> numerator,
                               std::span<const double> denominator, const Bootstrap& bootstrap);

struct MannWhitney {
    double u = 0;  // of the first sample: pairs (x, y) with x > y, and half of those with x == y
    double p = 1;  // two-sided
    bool exact = false;
};

// Do both samples come from one distribution? Exact without ties while neither sample has more than
// 30 values, else the normal approximation with continuity and tie correction (Mann and Whitney,
// Annals of Mathematical Statistics 18(1), 1947; Hollander and Wolfe, section 4.1). An empty
// sample, or one value everywhere: p = 1.
MannWhitney mann_whitney(std::span<const double> x, std::span<const double> y);
// The smallest p that two samples of n values can reach: 2 / C(2n, n).
double smallest_p(int n);

// Holm's step-down: the chance of any false alarm in the family stays at or below alpha when
// adjusted values are compared with alpha (Scandinavian Journal of Statistics 6(2), 1979). In the
// order given.
std::vector<double> holm(std::span<const double> p_values);

// Median of the slopes of all pairs with different x, per unit of x; 0 without such a pair (Theil
// 1950, Sen 1968).
double theil_sen_slope(std::span<const double> x, std::span<const double> y);

}  // namespace shed::measure
