// Latency and bandwidth against size, and every single run.
#include "simulator/measure/chart.hpp"
#include "simulator/measure/report/sections.hpp"
#include "simulator/measure/svg.hpp"
#include "simulator/measure/text.hpp"

#include <algorithm>
#include <cmath>

namespace shed::measure::report {

namespace {

double busbw(std::uint64_t bytes, double us, int ranks) {
    return busbw_GBps(algbw_GBps(bytes, us), ranks);
}

// `bandwidth`: what each time means as bus bandwidth; the band turns over with it.
ChartLine side_line(const std::string& name, const std::string& style, const BenchResult& result,
                    bool of_bare, bool bandwidth) {
    ChartLine line{name, style, true, {}};
    const int ranks = result.configuration.ranks;
    for (const ResultRow& row : result.rows) {
        if (of_bare && !row.bare) continue;
        const Side& side = of_bare ? *row.bare : row.flow;
        if (bandwidth)
            line.points.push_back({row.bytes, side.busbw_GBps, busbw(row.bytes, side.p90_us, ranks),
                                   busbw(row.bytes, side.p10_us, ranks)});
        else line.points.push_back({row.bytes, side.p50_us, side.p10_us, side.p90_us});
    }
    return line;
}

std::vector<ChartLine> lines_of(const ReportInput& input, bool bandwidth) {
    std::vector<ChartLine> lines{side_line("flow", "flow", input.result, false, bandwidth)};
    lines.push_back(side_line("bare", "bare", input.result, true, bandwidth));
    if (input.baseline)
        lines.push_back(side_line("baseline flow", "baseline", *input.baseline, false, bandwidth));
    for (std::size_t i = 0; i < input.models.size(); ++i) {
        ChartLine line{input.models[i].name, "model model" + std::to_string(i % 3), false, {}};
        for (const Point& point : input.models[i].points)
            line.points.push_back(
                {point.bytes,
                 bandwidth ? busbw(point.bytes, point.us, input.result.configuration.ranks)
                           : point.us,
                 0, 0});
        lines.push_back(std::move(line));
    }
    std::erase_if(lines, [](const ChartLine& line) { return line.points.empty(); });
    return lines;
}

std::string legend(const std::vector<ChartLine>& lines) {
    std::string out;
    for (const ChartLine& line : lines)
        out += tag("span", "key", tag("i", "swatch " + line.style, "") + escape_markup(line.name));
    return tag("div", "legend", out);
}

std::string figure_of(const Chart& chart, std::string_view caption) {
    const std::string wide = draw(chart, 560, 360);
    if (wide.empty()) return "";
    return tag("figure", "",
               tag("figcaption", "",
                   tag("b", "", escape_markup(chart.title)) + " " + escape_markup(caption)) +
                   legend(chart.lines) + responsive(wide, draw(chart, 350, 300)));
}

// Every run of every size, relative to the median that it is judged against.
struct Strip {
    double width, height, least, most;
    std::size_t sizes;
    double column() const { return (width - left - right) / static_cast<double>(sizes); }
    double x(std::size_t size, double share) const {
        return left + column() * (static_cast<double>(size) + share);
    }
    double y(double ratio) const {
        return svg::LogScale(least, most, height - bottom, top).at(ratio);
    }
    static constexpr double left = 56, right = 12, top = 10, bottom = 44;
};

double reference_us(const ResultRow& row) { return row.bare ? row.bare->p50_us : row.flow.p50_us; }

std::string dots(const Strip& strip, std::size_t index, const ResultRow& row, const Side& side,
                 const std::string& name, double share) {
    std::string out;
    const double step = 0.3 / static_cast<double>(std::max<std::size_t>(side.runs.size(), 2));
    for (std::size_t i = 0; i < side.runs.size(); ++i) {
        const RunFigures& run = side.runs[i];
        const double ratio = run.p50_us / reference_us(row);
        std::string tip = size_text(row.bytes) + ", " + name + " run " + std::to_string(i + 1) +
                          "\n" + time_text(run.p50_us) + ", " + figure(ratio, 3) +
                          " × the reference";
        if (!run.left_out.empty()) tip += "\nleft out: " + run.left_out;
        out += svg::element(
            "circle",
            {{"class", "dot " + name + (run.left_out.empty() ? "" : " out")},
             {"cx", svg::coordinate(strip.x(index, share + step * static_cast<double>(i)))},
             {"cy", svg::coordinate(strip.y(std::clamp(ratio, strip.least, strip.most)))},
             {"r", "2.6"},
             {"data-tip", tip}},
            svg::element("title", {}, escape_markup(tip)));
    }
    return out;
}

// "0.8×", "1×", "1.25×": as short as it is exact.
std::string ratio_text(double ratio) {
    std::string text = figure(ratio, ratio < 1 ? 2 : 3);
    while (text.find('.') != std::string::npos && (text.back() == '0' || text.back() == '.'))
        text.pop_back();
    return text + "×";
}

std::string strip_grid(const Strip& strip, const BenchResult& result) {
    std::string out;
    std::vector<double> taken;
    for (const double tick :
         {1.0, 0.1, 0.25, 0.5, 2.0, 4.0, 8.0, 16.0, 0.8, 1.25, 0.9, 1.1, 1.5, 3.0, 0.95, 1.05}) {
        if (tick < strip.least || tick > strip.most) continue;
        const double y = strip.y(tick);
        if (std::any_of(taken.begin(), taken.end(),
                        [&](double other) { return std::abs(other - y) < 16; }))
            continue;
        taken.push_back(y);
        out +=
            svg::line(Strip::left, y, strip.width - Strip::right, y, tick == 1 ? "axis" : "grid");
        out += svg::text(Strip::left - 8, y + 4, "tick", "end", ratio_text(tick));
    }
    double last_x = 0;
    for (std::size_t i = 0; i < result.rows.size(); ++i) {
        const double x = strip.x(i, 0.5);
        if (last_x > 0 && x - last_x < 54) continue;
        last_x = x;
        out += svg::text(x, strip.height - Strip::bottom + 18, "tick", "middle",
                         size_text(result.rows[i].bytes));
    }
    return out;
}

std::string draw_strip(const BenchResult& result, double width, double height) {
    const double tolerance = result.configuration.tier == Tier::paced
                                 ? result.thresholds.paced_tolerance
                                 : result.thresholds.raw_tolerance;
    double most = 1 + std::min(0.3, 4 * tolerance), least = 1 / most;
    for (const ResultRow& row : result.rows)
        for (const Side* side : {&row.flow, row.bare ? &*row.bare : nullptr}) {
            if (side == nullptr) continue;
            for (const RunFigures& run : side->runs) {
                least = std::min(least, run.p50_us / reference_us(row) / 1.05);
                most = std::max(most, run.p50_us / reference_us(row) * 1.05);
            }
        }
    const Strip strip{width, height, std::max(least, 0.05), std::min(most, 20.0),
                      result.rows.size()};
    const double upper = strip.y(std::min(1 + tolerance, strip.most)),
                 lower = strip.y(std::max(1 - tolerance, strip.least));
    std::string out =
        svg::element("rect", {{"class", "tolerance"},
                              {"x", svg::coordinate(Strip::left)},
                              {"y", svg::coordinate(upper)},
                              {"width", svg::coordinate(width - Strip::left - Strip::right)},
                              {"height", svg::coordinate(lower - upper)}});
    out += strip_grid(strip, result);
    for (std::size_t i = 0; i < result.rows.size(); ++i) {
        const ResultRow& row = result.rows[i];
        if (row.bare) out += dots(strip, i, row, *row.bare, "bare", 0.15);
        out += dots(strip, i, row, row.flow, "flow", row.bare ? 0.55 : 0.35);
    }
    return svg::element(
        "svg",
        {{"viewBox", "0 0 " + svg::coordinate(width) + " " + svg::coordinate(height)},
         {"role", "img"},
         {"aria-label", "Every run relative to its reference"}},
        out);
}

std::string every_run(const ReportInput& input) {
    if (input.result.rows.empty()) return "";
    const std::vector<ChartLine> keys{{"flow", "flow", true, {}}, {"bare", "bare", true, {}}};
    return tag(
        "figure", "full",
        tag("figcaption", "",
            "<b>Every run</b> Each dot is one run's median over the bare median (1×) of its size, "
            "in the order "
            "of the runs; the shaded band is the tolerance, hollow dots are left out.") +
            legend(keys) + tag("div", "wide large", draw_strip(input.result, 1140, 260)) +
            tag("div", "wide medium", draw_strip(input.result, 700, 260)) +
            tag("div", "narrow", draw_strip(input.result, 350, 260)));
}

}  // namespace

std::string charts(const ReportInput& input) {
    const Chart latency{"Latency", time_tick, time_text, lines_of(input, false)};
    const Chart bandwidth{"Bus bandwidth", bandwidth_tick, bandwidth_text, lines_of(input, true)};
    const std::string band = "Median and p10–p90 of all calls.";
    const std::string both =
        figure_of(latency, band) + figure_of(bandwidth, band + " 2(n−1)/n × size / time.");
    return section("Against size", "", tag("div", "figures", both + every_run(input)));
}

}  // namespace shed::measure::report
