#include "simulator/measure/chart.hpp"

#include "simulator/measure/svg.hpp"
#include "simulator/measure/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>

namespace shed::measure {

namespace {

using svg::LogScale;
using svg::Place;

constexpr double left = 56, right = 12, top = 10, bottom = 28;  // margins, pixels
constexpr double tick_width = 50;                               // of a label on the x axis

bool drawable(const ChartPoint& point) {
    return point.bytes > 0 && point.y > 0 && std::isfinite(point.y);
}
bool banded(const ChartPoint& point) { return point.low > 0 && point.high >= point.low; }

struct Range {
    double least = std::numeric_limits<double>::infinity();
    double most = 0;
    void add(double value) {
        least = std::min(least, value);
        most = std::max(most, value);
    }
    bool empty() const { return most <= 0; }
};

struct Ranges {
    Range x, y;
};

Ranges ranges_of(const Chart& chart) {
    Ranges out;
    for (const ChartLine& line : chart.lines)
        for (const ChartPoint& point : line.points) {
            if (!drawable(point)) continue;
            out.x.add(static_cast<double>(point.bytes));
            out.y.add(point.y);
            if (!banded(point)) continue;
            out.y.add(point.low);
            out.y.add(point.high);
        }
    return out;
}

struct Frame {
    LogScale x, y;
    double width, height;
};

std::string grid(const Chart& chart, const Frame& frame) {
    std::string out;
    for (const double tick : decade_ticks(frame.y.least(), frame.y.most())) {
        const double y = frame.y.at(tick);
        out += svg::line(left, y, frame.width - right, y, "grid");
        out += svg::text(left - 8, y + 4, "tick", "end", chart.tick_text(tick));
    }
    const auto count = static_cast<std::size_t>((frame.width - left - right) / tick_width);
    const auto least = static_cast<std::uint64_t>(frame.x.least());
    for (const std::uint64_t tick :
         size_ticks(least, static_cast<std::uint64_t>(frame.x.most()), count)) {
        const double x = frame.x.at(static_cast<double>(tick));
        out += svg::line(x, top, x, frame.height - bottom, "grid");
        out += svg::text(x, frame.height - bottom + 18, "tick", "middle", size_text(tick));
    }
    return out + svg::line(left, frame.height - bottom, frame.width - right, frame.height - bottom,
                           "axis");
}

std::string band(const ChartLine& line, const Frame& frame) {
    std::vector<Place> outline, back;
    for (const ChartPoint& point : line.points) {
        if (!drawable(point) || !banded(point)) continue;
        const double x = frame.x.at(static_cast<double>(point.bytes));
        outline.push_back({x, frame.y.at(point.high)});
        back.push_back({x, frame.y.at(point.low)});
    }
    if (outline.size() < 2) return "";
    outline.insert(outline.end(), back.rbegin(), back.rend());
    return svg::element("path",
                        {{"class", "band " + line.style},
                         {"d", svg::path(outline.data(), outline.data() + outline.size()) + "Z"}});
}

std::string curve(const ChartLine& line, const Frame& frame) {
    std::vector<Place> places;
    for (const ChartPoint& point : line.points)
        if (drawable(point))
            places.push_back({frame.x.at(static_cast<double>(point.bytes)), frame.y.at(point.y)});
    std::string out =
        svg::element("path", {{"class", "line " + line.style},
                              {"d", svg::path(places.data(), places.data() + places.size())}});
    if (!line.marks) return out;
    for (const Place& place : places)
        out += svg::element("circle", {{"class", "mark " + line.style},
                                       {"cx", svg::coordinate(place.x)},
                                       {"cy", svg::coordinate(place.y)},
                                       {"r", "3"}});
    return out;
}

std::string figures(const Chart& chart, std::uint64_t bytes) {
    std::string out = size_text(bytes);
    for (const ChartLine& line : chart.lines)
        for (const ChartPoint& point : line.points) {
            if (point.bytes != bytes || !drawable(point)) continue;
            out += "\n" + line.name + "  " + chart.value_text(point.y);
            if (banded(point))
                out += "  (" + chart.value_text(point.low) + " – " + chart.value_text(point.high) +
                       ")";
        }
    return out;
}

// One column per size that carries marks, reaching half-way to its neighbours.
std::string columns(const Chart& chart, const Frame& frame) {
    std::map<double, std::uint64_t> places;
    for (const ChartLine& line : chart.lines)
        for (const ChartPoint& point : line.points)
            if (line.marks && drawable(point))
                places[frame.x.at(static_cast<double>(point.bytes))] = point.bytes;
    std::string out;
    for (auto at = places.begin(); at != places.end(); ++at) {
        const double from = at == places.begin() ? left : (std::prev(at)->first + at->first) / 2;
        const double to = std::next(at) == places.end() ? frame.width - right
                                                        : (at->first + std::next(at)->first) / 2;
        const std::string tip = figures(chart, at->second);
        const std::string area =
            svg::element("rect", {{"x", svg::coordinate(from)},
                                  {"y", svg::coordinate(top)},
                                  {"width", svg::coordinate(to - from)},
                                  {"height", svg::coordinate(frame.height - top - bottom)},
                                  {"class", "hit"}});
        out +=
            svg::element("g", {{"class", "column"}, {"data-tip", tip}},
                         svg::element("title", {}, escape_markup(tip)) + area +
                             svg::line(at->first, top, at->first, frame.height - bottom, "guide"));
    }
    return out;
}

}  // namespace

std::vector<double> decade_ticks(double least, double most) {
    std::vector<double> ticks;
    if (!(least > 0) || !std::isfinite(most)) return ticks;
    const auto collect = [&](std::initializer_list<double> factors) {
        ticks.clear();
        const int first = static_cast<int>(std::floor(std::log10(least)));
        const int last = static_cast<int>(std::ceil(std::log10(most)));
        for (int power = first; power <= last; ++power)
            for (const double factor : factors)
                if (const double tick = factor * std::pow(10.0, power);
                    tick >= least * 0.999 && tick <= most * 1.001)
                    ticks.push_back(tick);
    };
    collect({1});
    if (ticks.size() < 3) collect({1, 2, 5});
    return ticks;
}

std::vector<std::uint64_t> size_ticks(std::uint64_t least, std::uint64_t most, std::size_t count) {
    for (const int step : {1, 2, 5, 10, 20}) {
        std::vector<std::uint64_t> ticks;
        for (int power = 0; power < 64; power += step)
            if (const std::uint64_t tick = std::uint64_t{1} << power; tick >= least && tick <= most)
                ticks.push_back(tick);
        if (ticks.size() <= count) return ticks;
    }
    return {};
}

std::string time_tick(double us) {
    const auto said = [](double value, const char* unit) { return figure(value, 1) + unit; };
    if (us < 999) return said(us, " us");
    return us < 999e3 ? said(us / 1e3, " ms") : said(us / 1e6, " s");
}

std::string bandwidth_tick(double GBps) {
    if (GBps < 0.999e-3) return figure(GBps * 1e6, 1) + " kB/s";
    return GBps < 0.999 ? figure(GBps * 1e3, 1) + " MB/s" : figure(GBps, 1) + " GB/s";
}

std::string draw(const Chart& chart, double width, double height) {
    Ranges ranges = ranges_of(chart);
    if (ranges.x.empty()) return "";
    const double air = std::max(1.15, std::pow(ranges.y.most / ranges.y.least, 0.05));
    const Frame frame{LogScale(ranges.x.least, ranges.x.most, left + 8, width - right - 8),
                      LogScale(ranges.y.least / air, ranges.y.most * air, height - bottom, top),
                      width, height};
    std::string out = grid(chart, frame);
    for (auto line = chart.lines.rbegin(); line != chart.lines.rend(); ++line)
        out += band(*line, frame);
    for (auto line = chart.lines.rbegin(); line != chart.lines.rend(); ++line)
        out += curve(*line, frame);
    out += columns(chart, frame);
    return svg::element(
        "svg",
        {{"viewBox", "0 0 " + svg::coordinate(width) + " " + svg::coordinate(height)},
         {"role", "img"},
         {"aria-label", chart.title}},
        out);
}

}  // namespace shed::measure
