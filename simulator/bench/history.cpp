// `bench history FILE`: how the results of each machine and configuration went.
#include "simulator/bench/outcome.hpp"

#include "simulator/measure/text.hpp"
#include "simulator/paths.hpp"

#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace shed::bench {

namespace {

using measure::HistoryEntry;

// "2026-11-26 13:00"
std::string day_text(double unix_s) {
    return measure::utc_text(unix_s).substr(0, 16).replace(10, 1, " ");
}

std::set<std::pair<std::string, std::string>> groups_of(const std::vector<HistoryEntry>& entries) {
    std::set<std::pair<std::string, std::string>> groups;
    for (const HistoryEntry& entry : entries) groups.emplace(entry.fingerprint, entry.configuration);
    return groups;
}

std::set<std::uint64_t> sizes_of(const std::vector<HistoryEntry>& entries) {
    std::set<std::uint64_t> sizes;
    for (const HistoryEntry& entry : entries)
        for (const measure::HistoryRow& row : entry.rows) sizes.insert(row.bytes);
    return sizes;
}

void print_group(const std::vector<HistoryEntry>& entries) {
    std::printf("machine %s, %s\n%zu results, %s to %s\n", entries.front().fingerprint.c_str(),
                entries.front().configuration.c_str(), entries.size(), day_text(entries.front().unix_s).c_str(),
                day_text(entries.back().unix_s).c_str());
    std::printf("%12s %11s %11s %15s  %s\n", "size", "first", "last", "per result", "last, in deviations");
    for (const std::uint64_t bytes : sizes_of(entries)) {
        const measure::Trend trend = measure::trend(entries, bytes);
        std::printf("%12s %11s %11s %15s  %+.1f\n", measure::size_text(bytes).c_str(),
                    measure::time_text(trend.points.front().flow_p50_us).c_str(),
                    measure::time_text(trend.points.back().flow_p50_us).c_str(),
                    measure::signed_percent_text(trend.slope_per_entry).c_str(), trend.last_deviations);
    }
    std::printf("\n");
}

nlohmann::json group_json(const std::vector<HistoryEntry>& entries) {
    nlohmann::json sizes = nlohmann::json::array();
    for (const std::uint64_t bytes : sizes_of(entries)) {
        const measure::Trend trend = measure::trend(entries, bytes);
        nlohmann::json points = nlohmann::json::array();
        for (const measure::TrendPoint& point : trend.points)
            points.push_back({{"unix_s", point.unix_s},
                              {"flow_p50_us", point.flow_p50_us},
                              {"ratio", point.ratio},
                              {"verdict", measure::verdict_name(point.verdict)},
                              {"version", point.version}});
        sizes.push_back({{"bytes", bytes},
                         {"points", std::move(points)},
                         {"slope_per_entry", trend.slope_per_entry},
                         {"last_deviations", trend.last_deviations}});
    }
    return {{"fingerprint", entries.front().fingerprint},
            {"configuration", entries.front().configuration},
            {"sizes", std::move(sizes)}};
}

}  // namespace

int command_history(const HistoryOptions& options) {
    const Terminal terminal(options.common.plain, options.common.quiet);
    const auto text = read_file(options.file);
    if (!text) return report(terminal, text.error());
    const auto entries = measure::load_history(*text, options.file);
    if (!entries) return report(terminal, entries.error());
    nlohmann::json out = nlohmann::json::array();
    for (const auto& [fingerprint, configuration] : groups_of(*entries)) {
        const auto group = measure::select(*entries, fingerprint, configuration);
        if (options.common.output == "json") out.push_back(group_json(group));
        else print_group(group);
    }
    if (options.common.output == "json") std::cout << out.dump(1) << "\n";
    return exit_ok;
}

}  // namespace shed::bench
