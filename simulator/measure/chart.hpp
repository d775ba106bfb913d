#pragma once
// Log-log charts of a quantity against message size, as inline SVG.
#include <cstdint>
#include <string>
#include <vector>

namespace shed::measure {

struct ChartPoint {
    std::uint64_t bytes = 0;
    double y = 0;
    double low = 0, high = 0;  // of the band around it; both 0 without
};

struct ChartLine {
    std::string name;
    std::string style;  // CSS class: "flow", "bare", "baseline", "model"
    bool marks = true;
    std::vector<ChartPoint> points;  // by size; those that a logarithm cannot show are left out
};

struct Chart {
    std::string title;
    std::string (*tick_text)(double) = nullptr;   // of a tick on the y axis
    std::string (*value_text)(double) = nullptr;  // in the tooltip
    std::vector<ChartLine> lines;                 // the first is drawn on top
};

// `width` and `height` are the drawing's own pixels. Empty when there is nothing to draw. Every
// size has a column that carries its figures in data-tip, lines separated by line breaks, for a
// script to show, and in a <title> without one.
std::string draw(const Chart& chart, double width, double height);

// 1, 10, 100 ... within the range, with 2 and 5 between when there would be fewer than three.
std::vector<double> decade_ticks(double least, double most);
// Powers of two in the range, at most `count`, at a step that also meets 1 KiB, 1 MiB and 1 GiB
// where it can.
std::vector<std::uint64_t> size_ticks(std::uint64_t least, std::uint64_t most, std::size_t count);

std::string time_tick(double us);         // "10 us", "1 ms"
std::string bandwidth_tick(double GBps);  // "10 MB/s", "1 GB/s"

}  // namespace shed::measure
