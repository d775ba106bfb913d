// Figures of one size's samples. Medians, not means: on a shared machine one call in a thousand
// takes a scheduler's time slice and would be all that a mean shows.
#pragma once

#include <vector>

namespace allreduce {

struct Summary {
    double min = 0, p50 = 0, p95 = 0, p99 = 0;
    double mad = 0;  // median of the absolute deviations from the median, not scaled
    double mean = 0;
};

// The p-th quantile (0..1) of sorted values, linear between neighbours (Hyndman and Fan's type 7,
// numpy's default).
double quantile(const std::vector<double>& sorted, double p);

// In the unit of the samples; all 0 when there are none.
Summary summarize(std::vector<double> samples);

struct Bandwidth {
    double algorithm = 0, bus = 0;  // GB/s, 10^9 bytes
};

// algbw = S/t and busbw = algbw * 2(n-1)/n (nccl-tests, doc/PERFORMANCE.md). One rank has no bus:
// 0.
Bandwidth bandwidth(double bytes, double microseconds, int ranks);

}  // namespace allreduce
