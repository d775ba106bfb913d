// The kubelet's and runc's formulas.
#include "fakes/cgroup/cgroup.hpp"

#include <algorithm>
#include <cmath>

namespace shed {

namespace {

constexpr std::int64_t shares_min = 2, shares_max = 262'144, shares_per_cpu = 1024,
                       milli_per_cpu = 1000;
constexpr std::int64_t weight_max = 10'000, quota_min_us = 1000;

}  // namespace

std::int64_t cpu_shares_of(std::int64_t milli_cpu) {
    return std::clamp(milli_cpu * shares_per_cpu / milli_per_cpu, shares_min, shares_max);
}

std::int64_t cpu_quota_of(std::int64_t milli_cpu) {
    return std::max(milli_cpu * cpu_period_us / milli_per_cpu, quota_min_us);
}

// A parabola through (2, 1), (1024, 100) and (262144, 10000) in logarithms.
std::int64_t cpu_weight_of(std::int64_t cpu_shares) {
    if (cpu_shares <= shares_min) return 1;
    if (cpu_shares >= shares_max) return weight_max;
    const double power = std::log2(static_cast<double>(cpu_shares));
    return static_cast<std::int64_t>(
        std::ceil(std::pow(10, (power * power + 125 * power) / 612 - 7.0 / 34)));
}

}  // namespace shed
