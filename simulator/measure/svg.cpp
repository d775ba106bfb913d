#include "simulator/measure/svg.hpp"

#include "simulator/measure/text.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace shed::measure::svg {

namespace {

std::string opened(std::string_view name, const Attributes& attributes) {
    std::string out = "<" + std::string(name);
    for (const auto& [key, value] : attributes)
        if (!value.empty()) out += " " + std::string(key) + "=\"" + escape_markup(value) + "\"";
    return out;
}

}  // namespace

std::string coordinate(double value) {
    if (!std::isfinite(value)) return "0";
    std::array<char, 400> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.1f", value);
    const std::string text = buffer.data();
    return text == "-0.0" ? "0.0" : text;
}

std::string element(std::string_view name, const Attributes& attributes) {
    return opened(name, attributes) + "/>";
}

std::string element(std::string_view name, const Attributes& attributes, std::string_view content) {
    return opened(name, attributes) + ">" + std::string(content) + "</" + std::string(name) + ">";
}

std::string text(double x, double y, std::string_view style, std::string_view anchor,
                 std::string_view content) {
    return element("text",
                   {{"x", coordinate(x)},
                    {"y", coordinate(y)},
                    {"class", std::string(style)},
                    {"text-anchor", std::string(anchor)}},
                   escape_markup(content));
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
    return element("line", {{"x1", coordinate(x1)},
                            {"y1", coordinate(y1)},
                            {"x2", coordinate(x2)},
                            {"y2", coordinate(y2)},
                            {"class", std::string(style)}});
}

std::string path(const Place* begin, const Place* end) {
    std::string out;
    for (const Place* place = begin; place != end; ++place)
        out += (place == begin ? "M" : "L") + coordinate(place->x) + " " + coordinate(place->y);
    return out;
}

LogScale::LogScale(double least, double most, double from, double to)
    : least_(least), most_(most > least ? most : least * 2), from_(from), to_(to) {}

double LogScale::at(double value) const {
    return from_ + (to_ - from_) * std::log(value / least_) / std::log(most_ / least_);
}

}  // namespace shed::measure::svg
