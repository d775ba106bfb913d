#pragma once
// A measured result: what `trainshed bench` writes, compares and reports. As a document it is JSON
// of schema trainshed.bench/v1, in which times are microseconds (_us) or seconds (_s), sizes bytes
// and shares 0..1.
#include "simulator/measure/machine.hpp"

#include <nlohmann/json_fwd.hpp>

namespace shed::measure {

inline constexpr std::string_view result_schema = "trainshed.bench/v1";

// What one run said of one size.
struct RunFigures {
    double p50_us = 0, p95_us = 0;
    std::int64_t iterations = 0, wrong = 0;
    double other_cpu_share = 0, infeasible_share = 0;
    std::string left_out;  // why the run does not count for this size; empty when it does
};

// One side, flow or bare, of one size. Runs that are left out stay in `runs` and in no other
// figure, unless all are.
struct Side {
    std::vector<RunFigures> runs;
    double p50_us = 0;  // median over the runs of their medians
    double mad_us = 0;  // median absolute deviation of the runs' medians
    double min_us = 0;
    double p10_us = 0,
           p90_us =
               0;  // over the samples of all runs together; over the runs' medians without samples
    std::size_t samples = 0;                // calls that were timed one by one
    double algbw_GBps = 0, busbw_GBps = 0;  // at p50_us
};

struct ResultRow {
    std::uint64_t bytes = 0, count = 0;
    Side flow;                 // through the cluster
    std::optional<Side> bare;  // the same program started by mpirun alone, in turns with flow
    double ratio =
        0;  // median over pairs of bare / flow: below 1, the flow is slower; 0 without bare
    Interval ratio_interval;
    double change = 0;  // median over pairs of flow / bare - 1
    Interval change_interval;
    double p_adjusted = 1;
    std::int64_t wrong = 0;  // wrong elements in the results of all runs of both sides
    double target_us = 0;    // what the link model says; 0 when nothing paced the calls
    Verdict verdict = Verdict::ok;
    std::string reason;
};

struct Stage {
    std::string name;
    double seconds = 0;
};

// What passed from the command to the first collective; in order, one after the other.
struct Launch {
    std::string label;  // "flow", "bare"
    std::vector<Stage> stages;
};

// How quiet the machine was during one run.
struct NoiseEntry {
    std::string side;  // "flow", "bare"
    int pair = 0;      // from 1
    double unix_s = 0, seconds = 0;
    double other_cpu_share = 0;   // the most of any size
    double infeasible_share = 0;  // the most of any size
    double pressure_share = 0;    // before the run
    int sizes_left_out = 0;
};

struct BenchResult {
    std::string command, version;
    double unix_s = 0;
    Configuration configuration;
    MachineFacts machine;
    std::vector<Launch> launch;
    std::vector<ResultRow> rows;  // by size, ascending
    std::vector<NoiseEntry> noise;
    std::vector<std::string> notes;  // what a reader must know to judge the figures
    Thresholds thresholds;
    Verdict verdict = Verdict::ok;
    std::vector<std::string> reasons;  // of the verdict; empty when ok
};

// Medians of each stage over launches that have the same stages; stages of the first that others
// lack are kept as they are.
Launch median_launch(const std::vector<Launch>& launches);

nlohmann::json to_json(const BenchResult& result);
std::string result_text(
    const BenchResult& result);  // the document, indented; input's invalid UTF-8 is replaced
// `name` begins each error. Refuses other schemas, missing or mistyped members and figures that are
// not finite.
Result<BenchResult> parse_result(std::string_view text, std::string_view name);
// One line per size and side, RFC 4180 with a header line.
std::string to_csv(const BenchResult& result);

}  // namespace shed::measure
