#pragma once
// Small pieces of SVG. Colours come from the page's style sheet by class, so that a chart follows
// its theme.
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace shed::measure::svg {

using Attributes = std::initializer_list<std::pair<std::string_view, std::string>>;

std::string coordinate(double value);  // one decimal, "-0" never
// <name a="b"/>; values are escaped.
std::string element(std::string_view name, const Attributes& attributes);
// <name a="b">content</name>; content is markup already.
std::string element(std::string_view name, const Attributes& attributes, std::string_view content);
std::string text(double x, double y, std::string_view style, std::string_view anchor,
                 std::string_view content);
std::string line(double x1, double y1, double x2, double y2, std::string_view style);

struct Place {
    double x = 0, y = 0;
};
// "M1 2L3 4": a path through places.
std::string path(const Place* begin, const Place* end);

// From values to pixels by their logarithm; pixels may run either way.
class LogScale {
public:
    LogScale(double least, double most, double from, double to);
    double at(double value) const;
    double least() const { return least_; }
    double most() const { return most_; }

private:
    double least_, most_, from_, to_;
};

}  // namespace shed::measure::svg
