// The top of the report: the verdict first, then what was measured and where.
#include "fakes/base/base64.hpp"
#include "fakes/base/text.hpp"
#include "simulator/measure/report/sections.hpp"
#include "simulator/measure/text.hpp"

#include <cmath>

namespace shed::measure::report {

namespace {

constexpr std::size_t reasons_shown = 5;

// Geometric mean of the sizes' bare / flow, as ratios are averaged.
std::optional<double> mean_ratio(const BenchResult& result) {
    double logarithms = 0;
    std::size_t count = 0;
    for (const ResultRow& row : result.rows) {
        if (!row.bare || row.ratio <= 0) continue;
        logarithms += std::log(row.ratio);
        ++count;
    }
    if (count == 0) return std::nullopt;
    return std::exp(logarithms / static_cast<double>(count));
}

std::string reasons_list(const std::vector<std::string>& reasons) {
    if (reasons.empty()) return "";
    std::string items;
    for (std::size_t i = 0; i < std::min(reasons.size(), reasons_shown); ++i)
        items += tag("li", "", escape_markup(reasons[i]));
    if (reasons.size() > reasons_shown)
        items += tag(
            "li", "",
            "and " + std::to_string(reasons.size() - reasons_shown) + " more, in the table below");
    return tag("ul", "reasons", items);
}

std::string figure_card(const std::string& value, const std::string& label) {
    return tag("div", "card",
               tag("b", "", escape_markup(value)) + tag("span", "", escape_markup(label)));
}

std::string cards(const ReportInput& input) {
    const BenchResult& result = input.result;
    std::string out;
    if (const auto ratio = mean_ratio(result))
        out += figure_card(figure(*ratio, 3) + " ×", "of bare speed, geometric mean of all sizes");
    if (!result.rows.empty()) {
        const ResultRow& least = result.rows.front();
        const ResultRow& most = result.rows.back();
        out += figure_card(time_text(least.flow.p50_us), "latency at " + size_text(least.bytes));
        out += figure_card(bandwidth_text(most.flow.busbw_GBps),
                           "bus bandwidth at " + size_text(most.bytes));
    }
    std::int64_t wrong = 0;
    for (const ResultRow& row : result.rows) wrong += row.wrong;
    out += figure_card(std::to_string(wrong), "wrong elements");
    double launch = 0;
    if (!result.launch.empty())
        for (const Stage& stage : result.launch.front().stages) launch += stage.seconds;
    if (launch > 0) out += figure_card(time_text(launch * 1e6), "launch to first collective");
    return tag("div", "cards", out);
}

std::string fact(std::string_view name, const std::string& value) {
    if (value.empty()) return "";
    return tag("div", "", tag("dt", "", escape_markup(name)) + tag("dd", "", escape_markup(value)));
}

std::string memory_text(std::uint64_t bytes) {
    return bytes == 0 ? "" : figure(static_cast<double>(bytes) / (1 << 30), 3) + " GiB";
}

std::string facts(const BenchResult& result) {
    const MachineFacts& machine = result.machine;
    const Configuration& how = result.configuration;
    std::string layout;
    for (const int ranks : how.ranks_per_host)
        layout += (layout.empty() ? "" : " + ") + std::to_string(ranks);
    std::string out = fact("processor", machine.cpu_model);
    out += fact("cores",
                std::to_string(machine.cores) + " for " + std::to_string(how.ranks) + " ranks");
    out += fact("memory", memory_text(machine.memory_bytes));
    out += fact("GPU", machine.gpu.empty() ? "none" : machine.gpu);
    out += fact("kernel", machine.kernel);
    out += fact("MPI", machine.mpi);
    out += fact("governor", machine.governor);
    out += fact("load before, after",
                figure(machine.load_before, 2) + ", " + figure(machine.load_after, 2));
    out += fact("ranks per host", layout);
    out += fact("backend", how.backend);
    out += fact("transports", joined(how.transports, ", "));
    out +=
        fact("data", how.dtype + " " + how.op + (how.in_place ? ", in place" : ", out of place"));
    out += fact("a call's time", how.timing);
    out += fact("yield when idle", how.yield_when_idle ? "yes" : "no");
    out += fact("binding", how.binding);
    out += fact("copy in shared memory", how.single_copy);
    out += fact("algorithm", how.algorithm);
    out += fact("tier",
                how.pacing.empty() ? std::string(tier_name(how.tier)) : "paced: " + how.pacing);
    out += fact("machine", fingerprint(machine));
    out += fact("seed", std::to_string(result.thresholds.bootstrap.seed));
    return tag("dl", "facts", out);
}

std::string verdict_lines(const ReportInput& input) {
    const BenchResult& result = input.result;
    const bool bare = !result.rows.empty() && result.rows.front().bare;
    std::string out =
        tag("p", "against", pill(result.verdict) + (bare ? " flow against bare" : " by itself"));
    out += reasons_list(result.reasons);
    if (!input.comparison) return out;
    std::string against = pill(input.comparison->verdict) + " against the baseline";
    if (input.baseline)
        against += " of " + escape_markup(utc(input.baseline->unix_s) + ", version " +
                                          input.baseline->version);
    return out + tag("p", "against", against) + reasons_list(input.comparison->reasons) +
           reasons_list(input.comparison->warnings);
}

}  // namespace

std::string header(const ReportInput& input) {
    const BenchResult& result = input.result;
    const Configuration& how = result.configuration;
    const std::string title =
        how.benchmark + ", " + count_text(how.ranks, "rank") + " on " +
        count_text(static_cast<std::int64_t>(how.ranks_per_host.size()), "host");
    const Verdict whole =
        input.comparison ? overall({result.verdict, input.comparison->verdict}) : result.verdict;
    std::string out = tag("div", "top",
                          tag("h1", "", escape_markup(title)) + pill(whole) +
                              "<button id=\"theme\" type=\"button\" hidden>theme</button>");
    out += tag("p", "when", escape_markup(utc(result.unix_s) + " · trainshed " + result.version));
    if (!result.command.empty()) out += tag("pre", "command", escape_markup("$ " + result.command));
    out += verdict_lines(input) + cards(input);
    std::string notes;
    for (const std::string& note : result.notes) notes += tag("li", "", escape_markup(note));
    if (!notes.empty()) out += tag("ul", "notes", notes);
    return tag("header", "", out + facts(result)) + "\n";
}

std::string downloads(const ReportInput& input) {
    const auto link = [](const std::string& file, const std::string& type,
                         const std::string& bytes) {
        return "<a download=\"" + file + "\" href=\"data:" + type + ";base64," +
               encode_base64(bytes) + "\">" + file + "</a>";
    };
    std::string out = link("result.json", "application/json", result_text(input.result));
    out += link("result.csv", "text/csv", to_csv(input.result));
    if (input.baseline)
        out += link("baseline.json", "application/json", result_text(*input.baseline));
    std::string lines;
    for (const HistoryEntry& entry : input.history) lines += history_line(entry);
    if (!lines.empty()) out += link("history.jsonl", "application/jsonl", lines);
    return section("Data", "All of it, as it was measured; nothing is sent anywhere.",
                   tag("p", "links", out));
}

}  // namespace shed::measure::report
