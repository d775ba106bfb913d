#include "simulator/measure/compare.hpp"

#include "simulator/measure/text.hpp"

#include <algorithm>
#include <cmath>

namespace shed::measure {

namespace {

constexpr double model_rounding = 1e-3;  // of a model's time, by printing it

Error invalid(std::string why) { return {Reason::invalid, std::move(why)}; }

std::vector<double> counted(const Side& side) {
    std::vector<double> us;
    for (const RunFigures& run : side.runs)
        if (run.left_out.empty()) us.push_back(run.p50_us);
    return us;
}

const ResultRow* row_of(const BenchResult& result, std::uint64_t bytes) {
    for (const ResultRow& row : result.rows)
        if (row.bytes == bytes) return &row;
    return nullptr;
}

Result<std::vector<std::string>> check_comparable(const BenchResult& a, const BenchResult& b,
                                                  const CompareOptions& options) {
    std::vector<std::string> warnings;
    if (const auto differs = difference(a.configuration, b.configuration))
        return invalid("these results cannot be compared, they differ in " + *differs);
    const std::string first = fingerprint(a.machine), second = fingerprint(b.machine);
    if (first == second) return warnings;
    const std::string machines = "they were measured on different machines (" +
                                 a.machine.cpu_model + ", " + std::to_string(a.machine.cores) +
                                 " cores, " + first + "; " + b.machine.cpu_model + ", " +
                                 std::to_string(b.machine.cores) + " cores, " + second + ")";
    if (a.configuration.tier == Tier::raw && !options.across_machines)
        return invalid("raw results cannot be compared, " + machines);
    warnings.push_back(machines);
    return warnings;
}

// Did the bare run move with the flow? Then what is left after dividing it out decides.
void discount_machine(Judgement& flow, const Judgement& bare) {
    const bool moved = flow.verdict == Verdict::regression || flow.verdict == Verdict::improvement;
    if (!moved || bare.verdict != flow.verdict) return;
    const double left = (1 + flow.change) / (1 + bare.change) - 1;
    if (std::abs(left) > flow.tolerance && (left > 0) == (flow.change > 0)) return;
    flow.verdict = Verdict::too_noisy;
    flow.reason = "flow " + signed_percent_text(flow.change) + ", but its bare run " +
                  signed_percent_text(bare.change) + " as well: the machine changed";
}

void conclude(Comparison& out) {
    std::vector<Verdict> verdicts;
    for (const ComparedRow& row : out.rows) verdicts.push_back(row.judgement.verdict);
    out.verdict = overall(verdicts);
    for (const ComparedRow& row : out.rows) {
        const std::string reason = row.name + ": " + row.judgement.reason;
        if (row.judgement.reason.empty()) continue;
        if (row.judgement.verdict == out.verdict) out.reasons.push_back(reason);
        else if (row.judgement.verdict == Verdict::too_noisy)
            out.warnings.push_back("too noisy, " + reason);
    }
    if (out.verdict == Verdict::too_noisy)
        out.warnings.push_back("too noisy to tell: nothing was proven either way");
}

struct Common {
    std::vector<const ResultRow*> a, b;
};

Common common_sizes(const BenchResult& a, const BenchResult& b,
                    std::vector<std::string>& warnings) {
    Common out;
    for (const ResultRow& row : a.rows) {
        const ResultRow* other = row_of(b, row.bytes);
        if (other == nullptr) {
            warnings.push_back(size_text(row.bytes) + " is in the first result only");
            continue;
        }
        out.a.push_back(&row);
        out.b.push_back(other);
    }
    for (const ResultRow& row : b.rows)
        if (row_of(a, row.bytes) == nullptr)
            warnings.push_back(size_text(row.bytes) + " is in the second result only");
    return out;
}

std::vector<Judgement> judge_sides(const Common& sizes, Tier tier, const Thresholds& thresholds,
                                   bool bare) {
    std::vector<Samples> all;
    for (std::size_t i = 0; i < sizes.a.size(); ++i) {
        const auto side = [&](const ResultRow& row) {
            return counted(bare ? *row.bare : row.flow);
        };
        if (bare && (!sizes.a[i]->bare || !sizes.b[i]->bare)) all.emplace_back();
        else all.push_back({size_text(sizes.a[i]->bytes), side(*sizes.a[i]), side(*sizes.b[i])});
    }
    return judge(all, tier, thresholds);
}

}  // namespace

Result<Comparison> compare(const BenchResult& a, const BenchResult& b,
                           const CompareOptions& options) {
    auto warnings = check_comparable(a, b, options);
    if (!warnings) return warnings.error();
    Comparison out;
    out.warnings = std::move(*warnings);
    const Common sizes = common_sizes(a, b, out.warnings);
    if (sizes.a.empty()) return invalid("these results have no size in common");
    for (std::size_t i = 0; i < sizes.a.size(); ++i)
        if (std::abs(sizes.a[i]->target_us - sizes.b[i]->target_us) >
            model_rounding * sizes.a[i]->target_us)
            return invalid("these results cannot be compared, they were paced to " +
                           time_text(sizes.a[i]->target_us) + " and " +
                           time_text(sizes.b[i]->target_us) + " at " +
                           size_text(sizes.a[i]->bytes));
    const auto flow = judge_sides(sizes, a.configuration.tier, options.thresholds, false);
    const auto bare = judge_sides(sizes, a.configuration.tier, options.thresholds, true);
    for (std::size_t i = 0; i < sizes.a.size(); ++i) {
        const ResultRow &before = *sizes.a[i], &after = *sizes.b[i];
        ComparedRow row{size_text(before.bytes), before.bytes, before.flow.runs.size(),
                        after.flow.runs.size(), flow[i]};
        discount_machine(row.judgement, bare[i]);
        if (before.wrong > 0)
            out.warnings.push_back(row.name + ": " + count_text(before.wrong, "wrong element") +
                                   " in the first result");
        if (after.wrong > 0) {
            row.judgement.verdict = Verdict::regression;
            row.judgement.reason = count_text(after.wrong, "wrong element");
        }
        out.rows.push_back(std::move(row));
    }
    conclude(out);
    return out;
}

Result<Comparison> compare(const std::vector<Series>& a, const std::vector<Series>& b,
                           const Thresholds& thresholds) {
    Comparison out;
    std::vector<Samples> all;
    const auto named = [](const std::vector<Series>& in, const std::string& name) {
        return std::find_if(in.begin(), in.end(),
                            [&](const Series& series) { return series.name == name; });
    };
    for (const Series& series : a) {
        const auto other = named(b, series.name);
        if (other == b.end()) out.warnings.push_back(series.name + " is in the first file only");
        else all.push_back({series.name, series.us, other->us});
    }
    for (const Series& series : b)
        if (named(a, series.name) == a.end())
            out.warnings.push_back(series.name + " is in the second file only");
    if (all.empty()) return invalid("these files have no benchmark in common");
    const auto judged = judge(all, Tier::raw, thresholds);
    for (std::size_t i = 0; i < all.size(); ++i)
        out.rows.push_back(
            {all[i].name, 0, all[i].reference_us.size(), all[i].measured_us.size(), judged[i]});
    conclude(out);
    return out;
}

}  // namespace shed::measure
