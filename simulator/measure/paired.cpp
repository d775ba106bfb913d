#include "simulator/measure/paired.hpp"

#include "simulator/measure/text.hpp"

#include <algorithm>
#include <cmath>

namespace shed::measure {

namespace {

constexpr double model_rounding = 1e-3;  // of a model's time, by printing it

const RunRow* row_of(const Run& run, std::uint64_t bytes) {
    for (const RunRow& row : run.rows)
        if (row.bytes == bytes) return &row;
    return nullptr;
}

std::string why_void(const Run& run, const RunRow& row, Tier tier, const Thresholds& thresholds) {
    if (tier == Tier::paced) {
        if (row.infeasible_share <= thresholds.infeasible_share_max) return "";
        return percent_text(row.infeasible_share) + " of calls slower than their model";
    }
    if (row.other_cpu_share > thresholds.other_cpu_share_max)
        return percent_text(row.other_cpu_share) + " of the processors used by others";
    if (run.pressure_share > thresholds.pressure_share_max)
        return percent_text(run.pressure_share) + " processor pressure before the run";
    return "";
}

RunFigures figures_of(const Run& run, const RunRow& row, Tier tier, const Thresholds& thresholds) {
    return {row.p50_us,
            row.p95_us,
            row.iterations,
            row.wrong,
            row.other_cpu_share,
            row.infeasible_share,
            why_void(run, row, tier, thresholds)};
}

// A pair counts as a pair or not at all.
void leave_out_together(Side& flow, Side& bare) {
    for (std::size_t i = 0; i < flow.runs.size(); ++i) {
        std::string& mine = flow.runs[i].left_out;
        std::string& other = bare.runs[i].left_out;
        const std::string why_mine =
            mine.empty() && !other.empty() ? "its bare run: " + other : mine;
        if (other.empty() && !mine.empty()) other = "its flow run: " + mine;
        mine = why_mine;
    }
}

// Which runs count; all of them when none does, so that there is something to show beside "too
// noisy".
std::vector<bool> counted(const Side& side) {
    std::vector<bool> out;
    for (const RunFigures& run : side.runs) out.push_back(run.left_out.empty());
    if (std::find(out.begin(), out.end(), true) == out.end()) out.assign(out.size(), true);
    return out;
}

void finish(Side& side, const std::vector<const Run*>& runs, std::uint64_t bytes) {
    const std::vector<bool> counts = counted(side);
    std::vector<double> medians, samples, least;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        if (!counts[i]) continue;
        medians.push_back(side.runs[i].p50_us);
        least.push_back(row_of(*runs[i], bytes)->min_us);
        const auto found = runs[i]->samples_us.find(bytes);
        if (found != runs[i]->samples_us.end())
            samples.insert(samples.end(), found->second.begin(), found->second.end());
    }
    side.p50_us = median(medians);
    side.mad_us = median_absolute_deviation(medians);
    side.min_us = *std::min_element(least.begin(), least.end());
    side.samples = samples.size();
    const std::vector<double>& band = samples.empty() ? medians : samples;
    side.p10_us = quantile(band, 0.1);
    side.p90_us = quantile(band, 0.9);
    side.algbw_GBps = algbw_GBps(bytes, side.p50_us);
    side.busbw_GBps = busbw_GBps(side.algbw_GBps, runs[0]->facts.ranks);
}

std::vector<double> usable(const Side& side) {
    std::vector<double> values;
    for (const RunFigures& run : side.runs)
        if (run.left_out.empty()) values.push_back(run.p50_us);
    return values;
}

void set_ratio(ResultRow& row, const Bootstrap& bootstrap) {
    const std::vector<bool> counts = counted(row.flow);
    std::vector<double> ratios;
    for (std::size_t i = 0; i < counts.size(); ++i)
        if (counts[i]) ratios.push_back(row.bare->runs[i].p50_us / row.flow.runs[i].p50_us);
    row.ratio = median(ratios);
    row.ratio_interval = median_interval(ratios, bootstrap);
}

std::string left_out_text(const Side& side) {
    std::size_t count = 0;
    std::string first;
    for (const RunFigures& run : side.runs) {
        count += !run.left_out.empty();
        if (first.empty()) first = run.left_out;
    }
    if (count == 0) return "";
    return std::to_string(count) + (count == 1 ? " is" : " are") + " left out (" + first +
           (count == 1 ? ")" : ", ...)");
}

// What may not vary at all. Empty when all is well.
std::string deterministic_failure(const ResultRow& row, const Thresholds& thresholds) {
    std::int64_t calls = 0;
    for (const Side* side : {&row.flow, row.bare ? &*row.bare : nullptr}) {
        if (side == nullptr) continue;
        for (const RunFigures& run : side->runs) calls += run.iterations;
        const std::int64_t first = row.flow.runs[0].iterations;
        for (const RunFigures& run : side->runs)
            if (thresholds.calls_fixed && run.iterations != first)
                return "calls per run differ: " + std::to_string(first) + " and " +
                       std::to_string(run.iterations);
    }
    if (row.wrong == 0) return "";
    return count_text(row.wrong, "wrong element") + " in the results of " + std::to_string(calls) +
           " calls";
}

NoiseEntry noise_of(const Run& run, std::string side, std::size_t index) {
    NoiseEntry entry{
        std::move(side), static_cast<int>(index) + 1, run.facts.unix_s, run.seconds, 0, 0, 0, 0};
    entry.pressure_share = run.pressure_share;
    for (const RunRow& row : run.rows) {
        entry.other_cpu_share = std::max(entry.other_cpu_share, row.other_cpu_share);
        entry.infeasible_share = std::max(entry.infeasible_share, row.infeasible_share);
    }
    return entry;
}

Error bad(std::string why) { return {Reason::bad_request, std::move(why)}; }

std::optional<Error> check_sizes(const Run& first, const Run& other, const std::string& which) {
    if (first.rows.size() != other.rows.size())
        return bad(which + " measured " + std::to_string(other.rows.size()) +
                   " sizes, flow run 1 " + std::to_string(first.rows.size()));
    for (const RunRow& row : first.rows) {
        const RunRow* same = row_of(other, row.bytes);
        if (same == nullptr) return bad(which + " did not measure " + size_text(row.bytes));
        if (same->count != row.count)
            return bad(which + " reduced " + std::to_string(same->count) + " elements of " +
                       size_text(row.bytes) + ", flow run 1 " + std::to_string(row.count));
        if (std::abs(same->target_us - row.target_us) > model_rounding * row.target_us)
            return bad(which + " was paced to " + time_text(same->target_us) + " at " +
                       size_text(row.bytes) + ", flow run 1 to " + time_text(row.target_us));
    }
    return std::nullopt;
}

// Flow and bare may differ in how the ranks reach each other: that is what is measured.
Configuration comparable(Configuration configuration) {
    configuration.ranks_per_host.clear();
    configuration.transports.clear();
    configuration.yield_when_idle = false;
    configuration.binding.clear();
    configuration.single_copy.clear();
    configuration.algorithm.clear();
    configuration.pacing.clear();  // the file's name; what it says is checked size by size
    return configuration;
}

std::optional<Error> check_runs(const std::vector<const Run*>& flow,
                                const std::vector<const Run*>& bare) {
    if (flow.empty()) return bad("no runs to summarise");
    if (flow[0]->rows.empty()) return bad("flow run 1 measured no size");
    const Configuration mine = configuration_of(flow[0]->facts);
    for (std::size_t i = 0; i < flow.size(); ++i) {
        const std::string which = "flow run " + std::to_string(i + 1);
        if (const auto differs = difference(mine, configuration_of(flow[i]->facts)))
            return bad("flow run 1 and " + which + " differ in " + *differs);
        if (auto error = check_sizes(*flow[0], *flow[i], which)) return error;
    }
    for (std::size_t i = 0; i < bare.size(); ++i) {
        const std::string which = "bare run " + std::to_string(i + 1);
        const Configuration other = configuration_of(bare[i]->facts);
        if (const auto differs = difference(comparable(mine), comparable(other)))
            return bad("flow run 1 and " + which + " differ in " + *differs);
        if (auto error = check_sizes(*flow[0], *bare[i], which)) return error;
    }
    return std::nullopt;
}

ResultRow make_row(const RunRow& first, const std::vector<const Run*>& flow,
                   const std::vector<const Run*>& bare, Tier tier, const Thresholds& thresholds) {
    ResultRow row;
    row.bytes = first.bytes;
    row.count = first.count;
    row.target_us = first.target_us;
    const auto fill = [&](Side& side, const std::vector<const Run*>& runs) {
        for (const Run* run : runs) {
            side.runs.push_back(figures_of(*run, *row_of(*run, row.bytes), tier, thresholds));
            row.wrong += side.runs.back().wrong;
        }
    };
    fill(row.flow, flow);
    if (!bare.empty()) {
        row.bare.emplace();
        fill(*row.bare, bare);
        leave_out_together(row.flow, *row.bare);
        finish(*row.bare, bare, row.bytes);
    }
    finish(row.flow, flow, row.bytes);
    if (row.bare) set_ratio(row, thresholds.bootstrap);
    return row;
}

void judge_rows(BenchResult& result) {
    std::vector<Samples> all;
    for (const ResultRow& row : result.rows)
        if (row.bare)
            all.push_back({size_text(row.bytes), usable(*row.bare), usable(row.flow),
                           left_out_text(row.flow), true});
    const auto judged = judge(all, result.configuration.tier, result.thresholds);
    std::vector<Verdict> verdicts;
    for (std::size_t i = 0; i < result.rows.size(); ++i) {
        ResultRow& row = result.rows[i];
        if (!judged.empty()) {
            row.change = judged[i].change;
            row.change_interval = judged[i].change_interval;
            row.p_adjusted = judged[i].p_adjusted;
            row.verdict = judged[i].verdict;
            row.reason = judged[i].reason;
        }
        if (std::string why = deterministic_failure(row, result.thresholds); !why.empty()) {
            row.verdict = Verdict::regression;
            row.reason = std::move(why);
        }
        verdicts.push_back(row.verdict);
    }
    result.verdict = overall(verdicts);
    for (const ResultRow& row : result.rows) {
        if (row.reason.empty()) continue;
        if (row.verdict == result.verdict)
            result.reasons.push_back(size_text(row.bytes) + ": " + row.reason);
        else if (row.verdict == Verdict::too_noisy)
            result.notes.push_back(size_text(row.bytes) + " is too noisy: " + row.reason);
    }
}

// Results that were wrong while warming up are in no row.
void judge_whole_runs(BenchResult& result, const std::vector<const Run*>& runs,
                      const std::string& side) {
    for (std::size_t i = 0; i < runs.size(); ++i) {
        std::int64_t in_rows = 0;
        for (const RunRow& row : runs[i]->rows) in_rows += row.wrong;
        if (runs[i]->wrong <= in_rows) continue;
        if (result.verdict != Verdict::regression) result.reasons.clear();
        result.verdict = Verdict::regression;
        result.reasons.push_back(side + " run " + std::to_string(i + 1) + ": " +
                                 count_text(runs[i]->wrong - in_rows, "wrong element") +
                                 " outside the measured calls");
    }
}

void add_notes(BenchResult& result, const Run& flow, const Run* bare) {
    if (bare != nullptr)
        if (const auto differs =
                difference(configuration_of(flow.facts), configuration_of(bare->facts)))
            result.notes.push_back("flow and bare differ in " + *differs +
                                   "; the ratio includes that");
    if (flow.facts.ranks > flow.facts.cores)
        result.notes.push_back(std::to_string(flow.facts.ranks) + " ranks share " +
                               std::to_string(flow.facts.cores) + " cores" +
                               (flow.facts.yield_when_idle ? "" : " and do not yield when idle"));
    if (flow.facts.ranks == 1) result.notes.push_back("one rank moves no data: bus bandwidth is 0");
    if (result.configuration.tier == Tier::paced)
        result.notes.push_back("calls are paced to a link model (" + result.configuration.pacing +
                               "): an emulated network, not this machine's");
    for (const Run* run : {&flow, bare})
        if (run != nullptr && run->facts.delay_percent > 0)
            result.notes.push_back((run == bare ? "bare" : "flow") +
                                   std::string(" calls were made ") +
                                   figure(run->facts.delay_percent, 2) + " % longer on purpose");
}

void add_noise(BenchResult& result, const std::vector<const Run*>& flow,
               const std::vector<const Run*>& bare) {
    const auto left_out = [&](bool of_bare, std::size_t index) {
        int count = 0;
        for (const ResultRow& row : result.rows)
            count += !(of_bare ? *row.bare : row.flow).runs[index].left_out.empty();
        return count;
    };
    for (std::size_t i = 0; i < flow.size(); ++i) {
        result.noise.push_back(noise_of(*flow[i], "flow", i));
        result.noise.back().sizes_left_out = left_out(false, i);
        if (i >= bare.size()) continue;
        result.noise.push_back(noise_of(*bare[i], "bare", i));
        result.noise.back().sizes_left_out = left_out(true, i);
    }
}

Result<BenchResult> summarise(const std::vector<const Run*>& flow,
                              const std::vector<const Run*>& bare, const Thresholds& thresholds) {
    if (const auto error = check_runs(flow, bare)) return *error;
    BenchResult result;
    result.configuration = configuration_of(flow[0]->facts);
    if (const RunRow& largest = flow[0]->rows.back(); largest.target_us > 0)
        result.configuration.pacing +=
            ", " + time_text(largest.target_us) + " at " + size_text(largest.bytes);
    result.thresholds = thresholds;
    result.unix_s = flow[0]->facts.unix_s;
    result.machine.cores = flow[0]->facts.cores;
    result.machine.mpi = flow[0]->facts.mpi;
    for (const RunRow& row : flow[0]->rows)
        result.rows.push_back(make_row(row, flow, bare, result.configuration.tier, thresholds));
    judge_rows(result);
    judge_whole_runs(result, flow, "flow");
    judge_whole_runs(result, bare, "bare");
    add_notes(result, *flow[0], bare.empty() ? nullptr : bare[0]);
    add_noise(result, flow, bare);
    return result;
}

}  // namespace

Result<BenchResult> summarise(const std::vector<Pair>& pairs, const Thresholds& thresholds) {
    std::vector<const Run*> flow, bare;
    for (const Pair& pair : pairs) {
        flow.push_back(&pair.flow);
        bare.push_back(&pair.bare);
    }
    return summarise(flow, bare, thresholds);
}

Result<BenchResult> summarise(const std::vector<Run>& flow, const Thresholds& thresholds) {
    std::vector<const Run*> runs;
    for (const Run& run : flow) runs.push_back(&run);
    return summarise(runs, {}, thresholds);
}

}  // namespace shed::measure
