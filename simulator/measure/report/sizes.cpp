// The table: one line per size, with an interval drawn against the tolerance.
#include "simulator/measure/report/sections.hpp"
#include "simulator/measure/svg.hpp"
#include "simulator/measure/text.hpp"

#include <algorithm>
#include <cmath>

namespace shed::measure::report {

namespace {

std::string cell(const std::string& content, std::string_view style = "n") {
    return tag("td", style, content);
}

std::string said(const std::string& text) { return escape_markup(text); }

// A change and its interval on a linear axis from -span to +span; beyond it they are cut off at the
// edge.
std::string interval_plot(double change, const Interval& interval, double tolerance, double span) {
    constexpr double width = 132, height = 18, middle = height / 2;
    const auto x = [&](double value) {
        return width / 2 * (1 + std::clamp(value / span, -1.0, 1.0));
    };
    std::string out =
        svg::element("rect", {{"class", "tolerance"},
                              {"x", svg::coordinate(x(-tolerance))},
                              {"y", "0"},
                              {"width", svg::coordinate(x(tolerance) - x(-tolerance))},
                              {"height", svg::coordinate(height)}});
    out += svg::line(width / 2, 0, width / 2, height, "axis");
    out += svg::line(x(interval.low), middle, x(interval.high), middle, "whisker");
    out += svg::element("circle", {{"class", "mark flow"},
                                   {"cx", svg::coordinate(x(change))},
                                   {"cy", svg::coordinate(middle)},
                                   {"r", "3.4"}});
    return svg::element("svg",
                        {{"class", "interval"},
                         {"viewBox", "0 0 132 18"},
                         {"role", "img"},
                         {"aria-label", signed_percent_text(change)}},
                        out);
}

std::size_t counted(const Side& side) {
    return static_cast<std::size_t>(
        std::count_if(side.runs.begin(), side.runs.end(),
                      [](const RunFigures& run) { return run.left_out.empty(); }));
}

std::string runs_text(const Side& side) {
    const std::size_t used = counted(side);
    if (used == side.runs.size()) return std::to_string(used);
    return std::to_string(used) + " of " + std::to_string(side.runs.size());
}

std::string median_text(const Side& side) {
    return said(time_text(side.p50_us)) + tag("span", "dim", said("± " + time_text(side.mad_us)));
}

const ComparedRow* compared_row(const ReportInput& input, std::uint64_t bytes) {
    if (!input.comparison) return nullptr;
    for (const ComparedRow& row : input.comparison->rows)
        if (row.bytes == bytes) return &row;
    return nullptr;
}

// How far the axis of the interval plots reaches: all intervals, and twice the tolerance at least.
double span_of(const BenchResult& result, double tolerance) {
    double span = 2 * tolerance;
    for (const ResultRow& row : result.rows)
        span =
            std::max({span, std::abs(row.change_interval.low), std::abs(row.change_interval.high)});
    return std::min(span, std::max(4 * tolerance, 1.0));
}

std::string head(bool bare, bool compared, double span) {
    std::string out;
    const auto add = [&](std::string_view name, std::string_view style = "n") {
        out += tag("th", style, name);
    };
    add("size");
    add("runs");
    add("flow<br>median ± MAD");
    if (bare) {
        add("bare<br>median ± MAD");
        add("flow against bare<br>±" + percent_text(span, 0), "wide-only");
        add("Δ<br>95 % interval");
    }
    add("algbw");
    add("busbw");
    if (compared) {
        add("Δ to baseline<br>95 % interval");
    }
    add("wrong");
    add("verdict", "");
    return tag("thead", "", tag("tr", "", out));
}

std::string compared_cells(const ComparedRow* row) {
    if (row == nullptr) return cell("–");
    const Judgement& judged = row->judgement;
    const std::string style = "sign " + std::string(verdict_name(judged.verdict));
    return cell(tag("span", style, sign(judged.verdict)) + " " +
                said(signed_percent_text(judged.change)) + " " +
                tag("span", "dim", said(interval_percent(judged.change_interval))));
}

std::string line_of(const ReportInput& input, const ResultRow& row, bool bare, double tolerance,
                    double span) {
    std::string out = cell(tag("b", "", said(size_text(row.bytes)))) +
                      cell(said(runs_text(row.flow))) + cell(median_text(row.flow));
    if (bare && row.bare) {
        out += cell(median_text(*row.bare));
        out += cell(interval_plot(row.change, row.change_interval, tolerance, span), "wide-only");
        out += cell(said(signed_percent_text(row.change)) + " " +
                    tag("span", "dim", said(interval_percent(row.change_interval))));
    } else if (bare) {
        out += cell("–") + cell("", "wide-only") + cell("–");
    }
    out += cell(said(bandwidth_text(row.flow.algbw_GBps))) +
           cell(said(bandwidth_text(row.flow.busbw_GBps)));
    if (input.comparison) out += compared_cells(compared_row(input, row.bytes));
    out += cell(row.wrong == 0 ? "0" : tag("b", "bad", std::to_string(row.wrong)));
    out += cell(pill(row.verdict), "");
    const std::string style(verdict_name(row.verdict));
    if (row.reason.empty()) return tag("tr", style, out);
    // The sentence below its figures, over all columns, so that it widens none.
    const std::string reason = "<td colspan=\"20\">" + said(row.reason) + "</td>";
    return tag("tr", style + " explained", out) + tag("tr", style + " reason", reason);
}

}  // namespace

std::string sizes(const ReportInput& input) {
    const BenchResult& result = input.result;
    const bool bare = std::any_of(result.rows.begin(), result.rows.end(),
                                  [](const ResultRow& row) { return row.bare; });
    const double tolerance = result.configuration.tier == Tier::paced
                                 ? result.thresholds.paced_tolerance
                                 : result.thresholds.raw_tolerance;
    const double span = span_of(result, tolerance);
    std::string lines;
    for (const ResultRow& row : result.rows) lines += line_of(input, row, bare, tolerance, span);
    if (lines.empty()) return "";
    const std::string note =
        bare
            ? "Δ is flow against bare, the median of pairs: above 0 the flow is slower. The plot's "
              "shaded band is the tolerance of " +
                  percent_text(tolerance, 0) + "."
            : "";
    return section(
        "Sizes", note,
        tag("div", "scroll",
            tag("table", "sizes",
                head(bare, input.comparison.has_value(), span) + tag("tbody", "", lines))));
}

}  // namespace shed::measure::report
