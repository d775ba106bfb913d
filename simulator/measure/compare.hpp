#pragma once
// New against old: two results, or two sets of named times from any benchmark.
#include "simulator/measure/result.hpp"

namespace shed::measure {

// Repeated times of one named benchmark, microseconds.
struct Series {
    std::string name;
    std::vector<double> us;
    bool operator==(const Series&) const = default;
};

struct ComparedRow {
    std::string name;         // "64 KiB", or the benchmark's
    std::uint64_t bytes = 0;  // 0 where it has none
    std::size_t a_runs = 0, b_runs = 0;
    Judgement judgement;  // a is the reference
};

struct Comparison {
    std::vector<ComparedRow> rows;
    Verdict verdict = Verdict::ok;
    std::vector<std::string> reasons;   // of the verdict
    std::vector<std::string> warnings;  // what weakens it
    int exit_code() const { return measure::exit_code(verdict); }
};

struct CompareOptions {
    Thresholds thresholds;
    bool across_machines =
        false;  // compare raw results of different machines all the same, with a warning
};

// The flow's times of every size that both measured, those of noisy runs left out.
//
// A size whose bare run moved as far as its flow did is too noisy, not a regression: the machine
// changed. Wrong results in b are a regression. Errors: configurations that differ (the message
// names the first field that does), raw results of machines with different fingerprints, no size in
// common.
Result<Comparison> compare(const BenchResult& a, const BenchResult& b,
                           const CompareOptions& options);

// By name, in a's order. Error invalid: no name in common. Judged as raw times.
Result<Comparison> compare(const std::vector<Series>& a, const std::vector<Series>& b,
                           const Thresholds& thresholds);

}  // namespace shed::measure
