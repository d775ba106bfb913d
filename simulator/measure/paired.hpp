#pragma once
// From repeated pairs of runs, one through the cluster (flow) and one by mpirun alone (bare), to a
// result.
#include "simulator/measure/result.hpp"

namespace shed::measure {

struct Pair {
    Run flow, bare;
};

// Fills rows, noise, notes, verdict and reasons; command, version, time, machine and launch are the
// caller's to add.
//
// Deterministic first: wrong results, or call counts that differ between a pair's runs, are a
// regression whatever the times are. Then each size is judged by gate.hpp, bare being the
// reference. A pair does not count for a size when either run is void there: raw, when others used
// more than other_cpu_share_max of the machine or the processor was under pressure before the run;
// paced, when more than infeasible_share_max of the calls missed their model.
//
// Errors: no pair; runs that differ in what makes times comparable (ranks, dtype, op, in-place,
// timing, pacing) or in their sizes. Other differences between flow and bare (transport, binding)
// are what is measured: they become notes.
Result<BenchResult> summarise(const std::vector<Pair>& pairs, const Thresholds& thresholds);

// The same without bare runs, for comparing with a baseline; the rows' verdicts say only what is
// deterministic.
Result<BenchResult> summarise(const std::vector<Run>& flow, const Thresholds& thresholds);

}  // namespace shed::measure
