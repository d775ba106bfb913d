#pragma once
// The sections of the report, each as markup; empty when the input has nothing for it.
#include "simulator/measure/report_html.hpp"

namespace shed::measure::report {

std::string header(const ReportInput& input);     // verdict, what was measured, on which machine
std::string charts(const ReportInput& input);     // latency, bandwidth, every run
std::string sizes(const ReportInput& input);      // the table
std::string launch(const ReportInput& input);     // stacked bars
std::string models(const ReportInput& input);     // coefficients, errors, what is left out
std::string history(const ReportInput& input);    // small charts
std::string noise(const ReportInput& input);      // the ledger
std::string method(const ReportInput& input);     // thresholds and definitions
std::string downloads(const ReportInput& input);  // JSON and CSV as data: links

// Pieces that sections share.
std::string tag(std::string_view name, std::string_view style,
                std::string_view content);  // content is markup
std::string section(std::string_view title, std::string_view note, std::string_view content);
std::string_view sign(Verdict verdict);                  // "✓", "✗", "↑", "~"
std::string pill(Verdict verdict);                       // sign and name in a coloured frame
std::string utc(double unix_s);                          // "2026-11-23 06:05:10 UTC"
std::string interval_percent(const Interval& interval);  // "[-1.0 %, +2.3 %]"
// The same drawing wide and narrow; the style sheet shows the one that fits.
std::string responsive(const std::string& wide, const std::string& narrow);

}  // namespace shed::measure::report
