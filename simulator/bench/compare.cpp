// `bench compare A B`: two results, ours or Google Benchmark's, and whether B is slower.
#include "simulator/bench/outcome.hpp"

#include "simulator/measure/google_benchmark.hpp"
#include "simulator/measure/junit.hpp"
#include "simulator/measure/report_html.hpp"
#include "simulator/measure/table_text.hpp"
#include "simulator/paths.hpp"

#include <iostream>
#include <nlohmann/json.hpp>

namespace shed::bench {

namespace {

using measure::Comparison;

bool is_ours(const std::string& text) { return text.find(measure::result_schema) != std::string::npos; }

Result<Comparison> compare_series(const std::string& a, const std::string& a_name, const std::string& b,
                                  const std::string& b_name) {
    const auto before = measure::parse_google_benchmark(a, a_name);
    if (!before) return before.error();
    const auto after = measure::parse_google_benchmark(b, b_name);
    if (!after) return after.error();
    return measure::compare(*before, *after, measure::Thresholds());
}

Result<void> write_report(const Terminal& terminal, const std::string& file, const measure::BenchResult& a,
                          const measure::BenchResult& b, const Comparison& comparison) {
    if (file.empty()) return {};
    measure::ReportInput input;
    input.result = b;
    input.baseline = a;
    input.comparison = comparison;
    input.models = measure::fitted_models(b);
    return write_output(terminal, file, measure::report_html(input));
}

Result<Comparison> compare_files(const CompareOptions& options, const Terminal& terminal) {
    const auto a = read_file(options.a), b = read_file(options.b);
    if (!a) return a.error();
    if (!b) return b.error();
    if (is_ours(*a) != is_ours(*b))
        return Error{Reason::bad_request, options.a + " and " + options.b +
                                              ": one is a result of trainshed bench, the other is not; compare two of a "
                                              "kind (bench allreduce --google-benchmark writes the other form)"};
    if (!is_ours(*a)) {
        if (!options.report.empty())
            return Error{Reason::bad_request, "--report: only of results of trainshed bench"};
        return compare_series(*a, options.a, *b, options.b);
    }
    const auto before = measure::parse_result(*a, options.a);
    if (!before) return before.error();
    const auto after = measure::parse_result(*b, options.b);
    if (!after) return after.error();
    auto comparison = measure::compare(*before, *after, {});
    if (!comparison) return comparison;
    if (auto written = write_report(terminal, options.report, *before, *after, *comparison); !written) return written.error();
    return comparison;
}

}  // namespace

nlohmann::json to_json(const Comparison& comparison) {
    nlohmann::json rows = nlohmann::json::array();
    for (const measure::ComparedRow& row : comparison.rows) {
        const measure::Judgement& j = row.judgement;
        rows.push_back({{"name", row.name},
                        {"bytes", row.bytes},
                        {"a_runs", row.a_runs},
                        {"b_runs", row.b_runs},
                        {"a_p50_us", j.reference_us},
                        {"b_p50_us", j.measured_us},
                        {"change", j.change},
                        {"change_interval", {j.change_interval.low, j.change_interval.high}},
                        {"p_adjusted", j.p_adjusted},
                        {"verdict", measure::verdict_name(j.verdict)},
                        {"reason", j.reason}});
    }
    return {{"rows", std::move(rows)},
            {"verdict", measure::verdict_name(comparison.verdict)},
            {"reasons", comparison.reasons},
            {"warnings", comparison.warnings}};
}

int command_compare(const CompareOptions& options) {
    const Terminal terminal(options.common.plain, options.common.quiet);
    const auto comparison = compare_files(options, terminal);
    if (!comparison) return report(terminal, comparison.error());
    if (options.common.output == "json") std::cout << to_json(*comparison).dump(1) << "\n";
    else std::cout << measure::table_text(*comparison);
    const std::string junit =
        options.junit.empty() ? "" : measure::to_junit(*comparison, options.b + " against " + options.a);
    if (auto written = write_output(terminal, options.junit, junit); !written)
        return report(terminal, written.error());
    return comparison->exit_code();
}

}  // namespace shed::bench
