#include "simulator/measure/junit.hpp"

#include "simulator/measure/text.hpp"

#include <algorithm>

namespace shed::measure {

namespace {

struct Case {
    std::string name;
    Verdict verdict = Verdict::ok;
    std::string reason;   // one line
    std::string details;  // figures
    double seconds = 0;
};

std::string attribute(std::string_view name, std::string_view value) {
    return " " + std::string(name) + "=\"" + escape_markup(value) + "\"";
}

std::string seconds_text(double seconds) { return figure(seconds, 6); }

std::string case_text(const Case& one, const std::string& suite) {
    std::string out = "    <testcase" + attribute("classname", suite) +
                      attribute("name", one.name) + attribute("time", seconds_text(one.seconds)) +
                      ">\n";
    if (one.verdict == Verdict::regression)
        out += "      <failure" + attribute("message", one.reason) +
               attribute("type", "regression") + ">" + escape_markup(one.details) + "</failure>\n";
    else if (one.verdict == Verdict::too_noisy)
        out += "      <skipped" + attribute("message", "too noisy: " + one.reason) + "/>\n";
    if (one.verdict != Verdict::regression)
        out += "      <system-out>" + escape_markup(one.details) + "</system-out>\n";
    return out + "    </testcase>\n";
}

std::string document(const std::string& suite, const std::vector<Case>& cases) {
    const auto counted = [&](Verdict verdict) {
        return std::to_string(std::count_if(
            cases.begin(), cases.end(), [&](const Case& one) { return one.verdict == verdict; }));
    };
    double seconds = 0;
    for (const Case& one : cases) seconds += one.seconds;
    const std::string counts = attribute("tests", std::to_string(cases.size())) +
                               attribute("failures", counted(Verdict::regression)) +
                               attribute("errors", "0") +
                               attribute("skipped", counted(Verdict::too_noisy)) +
                               attribute("time", seconds_text(seconds));
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" + counts +
                      ">\n  <testsuite" + attribute("name", suite) + counts + ">\n";
    for (const Case& one : cases) out += case_text(one, suite);
    return out + "  </testsuite>\n</testsuites>\n";
}

std::string side_text(const char* name, const Side& side) {
    return std::string(name) + ": median " + time_text(side.p50_us) + ", MAD " +
           time_text(side.mad_us) + ", " + std::to_string(side.runs.size()) + " runs\n";
}

std::string figures_of(const ResultRow& row) {
    std::string out = row.reason.empty() ? "" : row.reason + "\n";
    out += side_text("flow", row.flow);
    if (!row.bare) return out;
    out += side_text("bare", *row.bare);
    return out + "bare/flow: " + figure(row.ratio, 4) + " [" + figure(row.ratio_interval.low, 4) +
           ", " + figure(row.ratio_interval.high, 4) + "]\n";
}

double seconds_of(const ResultRow& row) {
    double us = 0;
    for (const RunFigures& run : row.flow.runs)
        us += run.p50_us * static_cast<double>(run.iterations);
    return us / 1e6;
}

std::string figures_of(const Judgement& judged) {
    std::string out = judged.reason.empty() ? "" : judged.reason + "\n";
    return out + "before " + time_text(judged.reference_us) + ", after " +
           time_text(judged.measured_us) + ", " + signed_percent_text(judged.change) + " [" +
           signed_percent_text(judged.change_interval.low) + ", " +
           signed_percent_text(judged.change_interval.high) + "], p " + p_text(judged.p_adjusted) +
           "\n";
}

}  // namespace

std::string to_junit(const BenchResult& result) {
    std::vector<Case> cases;
    Verdict of_sizes = Verdict::ok;
    for (const ResultRow& row : result.rows) {
        cases.push_back(
            {size_text(row.bytes), row.verdict, row.reason, figures_of(row), seconds_of(row)});
        of_sizes = overall({of_sizes, row.verdict});
    }
    if (result.verdict == Verdict::regression && of_sizes != Verdict::regression)
        for (const std::string& reason : result.reasons)
            cases.push_back({"whole runs", Verdict::regression, reason, reason, 0});
    return document("trainshed.bench." + result.configuration.benchmark, cases);
}

std::string to_junit(const Comparison& comparison, std::string_view suite) {
    std::vector<Case> cases;
    for (const ComparedRow& row : comparison.rows)
        cases.push_back(
            {row.name, row.judgement.verdict, row.judgement.reason, figures_of(row.judgement), 0});
    return document(std::string(suite), cases);
}

}  // namespace shed::measure
