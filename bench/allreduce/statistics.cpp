#include "bench/allreduce/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace allreduce {

double quantile(const std::vector<double>& sorted, double p) {
    if (sorted.empty()) return 0;
    const double place = p * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

Summary summarize(std::vector<double> samples) {
    if (samples.empty()) return {};
    std::sort(samples.begin(), samples.end());
    Summary summary;
    summary.min = samples.front();
    summary.p50 = quantile(samples, 0.50);
    summary.p95 = quantile(samples, 0.95);
    summary.p99 = quantile(samples, 0.99);
    summary.mean =
        std::accumulate(samples.begin(), samples.end(), 0.0) / static_cast<double>(samples.size());
    for (double& sample : samples) sample = std::abs(sample - summary.p50);
    std::sort(samples.begin(), samples.end());
    summary.mad = quantile(samples, 0.50);
    return summary;
}

Bandwidth bandwidth(double bytes, double microseconds, int ranks) {
    if (microseconds <= 0) return {};
    const double algorithm = bytes / microseconds / 1e3;
    return {algorithm, algorithm * 2 * (ranks - 1) / ranks};
}

}  // namespace allreduce
