#pragma once
// Results over time: one JSON line each, schema trainshed.bench.history/v1, in a file that only
// grows.
#include "simulator/measure/result.hpp"

namespace shed::measure {

inline constexpr std::string_view history_schema = "trainshed.bench.history/v1";

struct HistoryRow {
    std::uint64_t bytes = 0;
    double flow_p50_us = 0;
    double bare_p50_us = 0, ratio = 0;  // 0 without bare runs
    Verdict verdict = Verdict::ok;      // of this size
};

struct HistoryEntry {
    double unix_s = 0;
    std::string version;
    std::string fingerprint;        // of the machine
    std::string configuration;      // configuration_key()
    Verdict verdict = Verdict::ok;  // of all sizes
    std::vector<HistoryRow> rows;
};

HistoryEntry history_entry(const BenchResult& result);
// With its line break; appending it to the file is all that storing takes.
std::string history_line(const HistoryEntry& entry);

// Error bad_request "history.jsonl:12: ...": a line that is not an entry. Empty lines are skipped.
Result<std::vector<HistoryEntry>> load_history(std::string_view text, std::string_view name);

// Those of one machine and configuration, by time; the file's order among equal times.
std::vector<HistoryEntry> select(const std::vector<HistoryEntry>& entries,
                                 std::string_view fingerprint, std::string_view configuration);

struct TrendPoint {
    double unix_s = 0;
    double flow_p50_us = 0;
    double ratio = 0;               // 0 without bare runs
    Verdict verdict = Verdict::ok;  // of this size
    std::string version;
};

struct Trend {
    std::uint64_t bytes = 0;
    std::vector<TrendPoint> points;
    // Theil-Sen slope of the flow's time, as a share of its median per entry; 0 for fewer than two.
    double slope_per_entry = 0;
    // The last time's distance from the median of those before, in their estimated standard
    // deviations (1.4826 MAD); 0 with fewer than five before it or when they do not vary.
    double last_deviations = 0;
};

// Of the entries that measured this size, in the order given.
Trend trend(const std::vector<HistoryEntry>& entries, std::uint64_t bytes);

}  // namespace shed::measure
