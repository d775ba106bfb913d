#include "simulator/measure/statistics.hpp"

#include "fakes/base/result.hpp"
#include "fakes/base/rng.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace shed::measure {

namespace {

double quantile_of_sorted(std::span<const double> sorted, double q) {
    const double h = static_cast<double>(sorted.size() - 1) * std::clamp(q, 0.0, 1.0);
    const auto below = static_cast<std::size_t>(h);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (h - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double median_in_place(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return quantile_of_sorted(values, 0.5);
}

double resampled_median(std::span<const double> values, Rng& rng, std::vector<double>& scratch) {
    scratch.resize(values.size());
    for (double& value : scratch) value = values[rng.below(values.size())];
    return median_in_place(scratch);
}

Interval percentile_interval(const std::vector<double>& statistics, double confidence) {
    const double tail = (1 - confidence) / 2;
    return {quantile(statistics, tail), quantile(statistics, 1 - tail)};
}

}  // namespace

double quantile(std::span<const double> values, double q) {
    SHED_CHECK(!values.empty());
    std::vector<double> sorted(values.begin(), values.end());
    std::sort(sorted.begin(), sorted.end());
    return quantile_of_sorted(sorted, q);
}

double median(std::span<const double> values) { return quantile(values, 0.5); }

double median_absolute_deviation(std::span<const double> values) {
    const double middle = median(values);
    std::vector<double> deviations(values.begin(), values.end());
    for (double& value : deviations) value = std::abs(value - middle);
    return median_in_place(deviations);
}

Interval median_interval(std::span<const double> values, const Bootstrap& bootstrap) {
    Rng rng(bootstrap.seed);
    std::vector<double> medians, scratch;
    for (int i = 0; i < bootstrap.resamples; ++i)
        medians.push_back(resampled_median(values, rng, scratch));
    return percentile_interval(medians, bootstrap.confidence);
}

Interval median_ratio_interval(std::span<const double> numerator,
                               std::span<const double> denominator, const Bootstrap& bootstrap) {
    Rng rng(bootstrap.seed);
    std::vector<double> ratios, scratch;
    for (int i = 0; i < bootstrap.resamples; ++i) {
        const double above = resampled_median(numerator, rng, scratch);
        ratios.push_back(above / resampled_median(denominator, rng, scratch));
    }
    return percentile_interval(ratios, bootstrap.confidence);
}

std::vector<double> holm(std::span<const double> p_values) {
    std::vector<std::size_t> order(p_values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
    std::vector<double> adjusted(p_values.size());
    double so_far = 0;
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        const double here = static_cast<double>(order.size() - rank) * p_values[order[rank]];
        so_far = std::max(so_far, std::min(1.0, here));
        adjusted[order[rank]] = so_far;
    }
    return adjusted;
}

double theil_sen_slope(std::span<const double> x, std::span<const double> y) {
    SHED_CHECK(x.size() == y.size());
    std::vector<double> slopes;
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t j = i + 1; j < x.size(); ++j)
            if (x[i] != x[j]) slopes.push_back((y[j] - y[i]) / (x[j] - x[i]));
    return slopes.empty() ? 0 : median_in_place(slopes);
}

}  // namespace shed::measure
