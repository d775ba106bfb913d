#pragma once
// Google Benchmark's JSON (json_schema_version 1, src/json_reporter.cc), so that its
// tools/compare.py works on our results and `bench compare` on anyone's.
#include "simulator/measure/compare.hpp"

namespace shed::measure {

// Per size and side a family "allreduce/flow/1024" with one repetition per run that counts, whose
// real_time is the run's median in microseconds, and its aggregates mean, median, stddev and cv.
// cpu_time is 0: a collective waits, and what it burns while it waits says nothing. `compare.py
// benchmarks A B` compares results, `compare.py filters A allreduce/bare allreduce/flow` a result's
// two sides.
nlohmann::json to_google_benchmark(const BenchResult& result);

// The repetitions of each benchmark in a file's order, real_time in microseconds. A benchmark with
// aggregates only
// (--benchmark_report_aggregates_only) has its median alone, or its mean. Skipped and failed ones
// are left out. Errors: not such a file, another json_schema_version, an unknown time_unit.
Result<std::vector<Series>> parse_google_benchmark(std::string_view text, std::string_view name);

}  // namespace shed::measure
