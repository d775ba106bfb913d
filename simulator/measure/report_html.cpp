#include "simulator/measure/report_html.hpp"

#include "simulator/measure/report/assets.hpp"
#include "simulator/measure/report/sections.hpp"
#include "simulator/measure/text.hpp"

namespace shed::measure {

namespace {

std::string coefficients(const Fit& fit) {
    std::string text = "a = " + time_text(fit.a_us);
    text += ", b = " +
            (fit.b_us_per_byte > 0 ? "1 / " + bandwidth_text(1 / (1000 * fit.b_us_per_byte)) : "0");
    if (fit.c_us_per_root_byte > 0)
        text += ", c = " + figure(fit.c_us_per_root_byte, 3) + " us per root of a byte";
    return text + "; fitted to every third size from " + size_text(fit.bytes_min) + " to " +
           size_text(fit.bytes_max);
}

// The browser may load nothing and run only what is in the page.
constexpr std::string_view policy =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'; "
    "script-src 'unsafe-inline'; img-src data:\">";

}  // namespace

std::vector<ModelLine> paced_models(const BenchResult& result) {
    ModelLine line{"the link paced to", {}, std::nullopt, {result.configuration.pacing}};
    for (const ResultRow& row : result.rows)
        if (row.target_us > 0) line.points.push_back({row.bytes, row.target_us});
    if (line.points.empty()) return {};
    return {std::move(line)};
}

std::vector<ModelLine> fitted_models(const BenchResult& result) {
    std::vector<Point> points;
    for (const ResultRow& row : result.rows) points.push_back({row.bytes, row.flow.p50_us});
    // Below 64 KiB protocols mix; with too few sizes above, a rougher fit is better than none.
    auto held_out = hold_out(points, Curve::root);
    for (const std::uint64_t least : {std::uint64_t{1024}, std::uint64_t{1}})
        if (!held_out) held_out = hold_out(points, Curve::root, least);
    if (!held_out) return {};
    ModelLine line{"a + b S + c √S", {}, held_out->held_out, {coefficients(held_out->fit)}};
    for (const Point& point : points)
        if (const auto us = held_out->fit.predict(point.bytes))
            line.points.push_back({point.bytes, *us});
    return {std::move(line)};
}

ModelLine predicted_model(const BenchResult& result, Algorithm algorithm, const Link& link) {
    const int ranks = result.configuration.ranks;
    ModelLine line{std::string(algorithm_name(algorithm)) + ", " + figure(link.latency_us, 3) +
                       " us and " + bandwidth_text(link.bandwidth_GBps),
                   {},
                   std::nullopt,
                   {"link: " + link.source}};
    for (const ResultRow& row : result.rows)
        line.points.push_back({row.bytes, predict(algorithm, ranks, row.bytes, link).us});
    std::string left_out;
    for (const std::string& what : forecast(ranks, 0, link).leaves_out)
        left_out += (left_out.empty() ? "leaves out " : "; ") + what;
    line.notes.push_back(left_out);
    return line;
}

std::string report_html(const ReportInput& input) {
    const std::string title = input.result.configuration.benchmark + ": " +
                              std::string(verdict_name(input.result.verdict));
    std::string out = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n";
    out += "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
    out += policy;
    out += "\n<title>" + escape_markup(title) + "</title>\n<style>\n" + std::string(report_css) +
           "</style>\n</head>\n";
    out += "<body>\n<main>\n";
    out += report::header(input) + report::charts(input) + report::sizes(input) +
           report::launch(input);
    out += report::models(input) + report::history(input) + report::noise(input) +
           report::method(input);
    out += report::downloads(input);
    out += "</main>\n<div id=\"tip\" role=\"status\" hidden></div>\n<script>\n" +
           std::string(report_js);
    return out + "</script>\n</body>\n</html>\n";
}

}  // namespace shed::measure
