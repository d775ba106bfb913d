// The past of each size, how quiet the machine was, and how the verdict was reached.
#include "simulator/measure/report/sections.hpp"
#include "simulator/measure/svg.hpp"
#include "simulator/measure/text.hpp"

#include <algorithm>
#include <cmath>

namespace shed::measure::report {

namespace {

constexpr std::size_t ledger_open_max = 12;  // lines; a longer ledger starts folded
constexpr std::size_t history_points_max = 60;
constexpr double odd_deviations = 3;  // of the last result from those before, worth saying

std::string trend_chart(const Trend& trend) {
    constexpr double width = 220, height = 72, margin = 8, labels = 50;
    const std::size_t first =
        trend.points.size() - std::min(trend.points.size(), history_points_max);
    double least = trend.points[first].flow_p50_us, most = least;
    for (std::size_t i = first; i < trend.points.size(); ++i) {
        least = std::min(least, trend.points[i].flow_p50_us);
        most = std::max(most, trend.points[i].flow_p50_us);
    }
    // At least 10 % from edge to edge, so that noise does not look like drama.
    const double middle = (least + most) / 2, reach = std::max((most - least) / 2, 0.05 * middle);
    const double steps =
        static_cast<double>(std::max<std::size_t>(trend.points.size() - first - 1, 1));
    std::vector<svg::Place> places;
    std::string marks;
    for (std::size_t i = first; i < trend.points.size(); ++i) {
        const TrendPoint& point = trend.points[i];
        const svg::Place place{
            labels + margin +
                (width - labels - 2 * margin) * static_cast<double>(i - first) / steps,
            height / 2 - (point.flow_p50_us - middle) / reach * (height / 2 - margin)};
        places.push_back(place);
        std::string tip =
            utc(point.unix_s) + ", " + point.version + "\n" + time_text(point.flow_p50_us);
        if (point.ratio > 0) tip += ", " + figure(point.ratio, 3) + " × bare speed";
        tip += "\n" + std::string(verdict_name(point.verdict));
        marks += svg::element("circle",
                              {{"class", "trend " + std::string(verdict_name(point.verdict))},
                               {"cx", svg::coordinate(place.x)},
                               {"cy", svg::coordinate(place.y)},
                               {"r", i + 1 == trend.points.size() ? "4" : "2.8"},
                               {"data-tip", tip}},
                              svg::element("title", {}, escape_markup(tip)));
    }
    const std::string path = svg::element(
        "path",
        {{"class", "line flow"}, {"d", svg::path(places.data(), places.data() + places.size())}});
    return svg::element(
        "svg", {{"viewBox", "0 0 220 72"}, {"role", "img"}, {"aria-label", "Times over history"}},
        svg::text(4, 11, "tick", "start", time_text(most)) +
            svg::text(4, height - 3, "tick", "start", time_text(least)) + path + marks);
}

std::string trend_figure(const Trend& trend) {
    std::string said = time_text(trend.points.back().flow_p50_us);
    if (trend.points.size() > 1)
        said += ", " + signed_percent_text(trend.slope_per_entry, 2) + " per result";
    if (std::abs(trend.last_deviations) >= odd_deviations)
        said += ", the last " + std::string(trend.last_deviations > 0 ? "+" : "") +
                figure(trend.last_deviations, 2) + " σ";
    return tag(
        "figure", "small",
        tag("figcaption", "",
            tag("b", "", escape_markup(size_text(trend.bytes))) + " " + escape_markup(said)) +
            trend_chart(trend));
}

// A share as a number on a bar of its size; `limit` is where it becomes a problem.
std::string share_cell(double share, double limit) {
    const std::string width = svg::coordinate(100 * std::clamp(share, 0.0, 1.0));
    return "<td class=\"n share" + std::string(share > limit ? " over" : "") +
           "\"><i style=\"width:" + width + "%\"></i>" + escape_markup(percent_text(share)) +
           "</td>";
}

std::string ledger_line(const NoiseEntry& entry, const Thresholds& limits) {
    const auto cell = [](const std::string& text) { return tag("td", "n", escape_markup(text)); };
    return tag("tr", "",
               cell(std::to_string(entry.pair)) + tag("td", "", escape_markup(entry.side)) +
                   cell(utc(entry.unix_s)) + cell(time_text(entry.seconds * 1e6)) +
                   share_cell(entry.other_cpu_share, limits.other_cpu_share_max) +
                   share_cell(entry.infeasible_share, limits.infeasible_share_max) +
                   share_cell(entry.pressure_share, limits.pressure_share_max) +
                   cell(std::to_string(entry.sizes_left_out)));
}

}  // namespace

std::string history(const ReportInput& input) {
    std::string charts;
    for (const ResultRow& row : input.result.rows) {
        const Trend past = trend(input.history, row.bytes);
        if (past.points.size() > 1) charts += trend_figure(past);
    }
    if (charts.empty()) return "";
    return section("History",
                   "The flow's median of each result of this machine and configuration, oldest "
                   "first, at most the last " +
                       std::to_string(history_points_max) +
                       ". Full height is 10 % of the median or more.",
                   tag("div", "trends", charts));
}

std::string noise(const ReportInput& input) {
    if (input.result.noise.empty()) return "";
    std::string head;
    for (const std::string_view name : {"pair", "side", "started", "took", "others' CPU",
                                        "missed model", "pressure before", "sizes left out"})
        head += tag("th", name == "side" ? "" : "n", name);
    std::string lines;
    std::size_t disturbed = 0;
    for (const NoiseEntry& entry : input.result.noise) disturbed += entry.sizes_left_out > 0;
    for (const NoiseEntry& entry : input.result.noise)
        lines += ledger_line(entry, input.result.thresholds);
    const std::string table = tag(
        "div", "scroll",
        tag("table", "ledger", tag("thead", "", tag("tr", "", head)) + tag("tbody", "", lines)));
    const std::string open = input.result.noise.size() <= ledger_open_max ? " open" : "";
    return section("Noise", "How quiet the machine was during each run: the most of any size.",
                   "<details" + open + "><summary>" + std::to_string(input.result.noise.size()) +
                       " runs, " + std::to_string(disturbed) +
                       " left out for a size or more</summary>" + table + "</details>");
}

std::string method(const ReportInput& input) {
    const Thresholds& limits = input.result.thresholds;
    const bool paced = input.result.configuration.tier == Tier::paced;
    const std::string tolerance =
        paced ? percent_text(limits.paced_tolerance, 0)
              : percent_text(limits.raw_tolerance, 0) + " or " + figure(limits.raw_deviations, 1) +
                    " median absolute deviations of the reference, whichever is more,";
    const std::string invalid =
        paced ? "more than " + percent_text(limits.infeasible_share_max, 0) +
                    " of its calls missed their model"
              : "others used more than " + percent_text(limits.other_cpu_share_max, 0) +
                    " of the processors, or pressure before it was above " +
                    percent_text(limits.pressure_share_max, 0);
    const std::vector<std::string> texts{
        "A wrong result is a regression, whatever the times are.",
        "A size regresses when its median is slower by more than " + tolerance +
            " and a two-sided Mann–Whitney test, adjusted by Holm over all sizes, gives p < " +
            figure(limits.alpha, 1) + ".",
        "A run does not count for a size when " + invalid + ". With fewer than " +
            std::to_string(paced ? limits.paced_runs_min : limits.raw_runs_min) +
            " runs of each side a size is too noisy, which warns and does not fail.",
        "Intervals are " + percent_text(limits.bootstrap.confidence, 0) +
            " percentile bootstrap, " + std::to_string(limits.bootstrap.resamples) +
            " resamples, seed " + std::to_string(limits.bootstrap.seed) +
            ". MAD is the unscaled median absolute deviation of the runs' medians. GB are 10⁹ "
            "bytes, KiB 1024."};
    std::string items;
    for (const std::string& text : texts) items += tag("li", "", escape_markup(text));
    return section("How the verdict is reached", "", tag("ul", "", items));
}

}  // namespace shed::measure::report
