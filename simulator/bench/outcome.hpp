#pragma once
// What becomes of a measured result: notes that make it honest, comparison, files, the terminal, the exit code.
#include "simulator/bench/bench.hpp"
#include "simulator/bench/plan.hpp"
#include "simulator/measure/result.hpp"

namespace shed::bench {

// Adds the command and what a reader must know: ranks and cores, flags, the transport really used, Open MPI's
// parameters and where they come from, both command lines. `bare`: nullptr without a floor.
void describe(measure::BenchResult& result, const AllReducePlan& plan, const std::vector<std::string>& bare_words,
              const std::string& isolation, const measure::RunFacts& flow, const measure::RunFacts* bare);

// Compares with the baseline if there is one, writes what was asked for, prints; the exit code.
int publish(const AllReduceOptions& options, const Terminal& terminal, measure::BenchResult result);

}  // namespace shed::bench
