#include "simulator/bench/outcome.hpp"

#include "simulator/measure/google_benchmark.hpp"
#include "simulator/measure/junit.hpp"
#include "simulator/measure/report_html.hpp"
#include "simulator/measure/table_text.hpp"
#include "simulator/paths.hpp"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>

namespace shed::bench {

namespace {

using measure::BenchResult;
using measure::Comparison;

Result<std::optional<Comparison>> compared(const Given& given, const BenchResult& result) {
    if (!given.baseline) return std::optional<Comparison>();
    auto comparison = measure::compare(*given.baseline, result, {});
    if (!comparison) return comparison.error();
    return std::optional<Comparison>(std::move(*comparison));
}

measure::ReportInput report_input(const Given& given, const BenchResult& result,
                                  const std::optional<Comparison>& comparison) {
    measure::ReportInput input;
    input.result = result;
    input.baseline = given.baseline;
    input.comparison = comparison;
    input.models = measure::fitted_models(result);
    if (given.predict)
        for (const measure::Prediction& p : measure::forecast(given.predict->ranks, 1, given.predict->link).all)
            input.models.push_back(measure::predicted_model(result, p.algorithm, given.predict->link));
    input.history = measure::select(given.history, measure::fingerprint(result.machine),
                                    measure::configuration_key(result.configuration));
    input.history.push_back(measure::history_entry(result));
    return input;
}

Result<void> append(const std::string& file, const std::string& line) {
    std::ofstream out(file, std::ios::app | std::ios::binary);
    out << line << std::flush;
    if (!out) return Error{Reason::environment, file + ": cannot be written"};
    return {};
}

Result<void> write_files(const AllReduceOptions& options, const Terminal& terminal, const Given& given,
                         const BenchResult& result, const std::optional<Comparison>& comparison) {
    const auto junit = [&] {
        return comparison ? measure::to_junit(*comparison, "allreduce against its baseline")
                          : measure::to_junit(result);
    };
    // Made only when asked for.
    const std::pair<std::string, std::function<std::string()>> files[] = {
        {options.save, [&] { return measure::to_json(result).dump(1) + "\n"; }},
        {options.junit, junit},
        {options.csv, [&] { return measure::to_csv(result); }},
        {options.google_benchmark, [&] { return measure::to_google_benchmark(result).dump(1) + "\n"; }},
        {options.report, [&] { return measure::report_html(report_input(given, result, comparison)); }}};
    for (const auto& [file, text] : files) {
        if (file.empty()) continue;
        if (auto written = write_output(terminal, file, text()); !written) return written;
    }
    if (options.history.empty()) return {};
    return append(options.history, measure::history_line(measure::history_entry(result)));
}

void print_json(const Given& given, const BenchResult& result, const std::optional<Comparison>& comparison) {
    nlohmann::json out = measure::to_json(result);
    out["model"] = model_json(result, given.predict ? &*given.predict : nullptr);
    if (comparison) out["baseline"] = to_json(*comparison);
    if (comparison) out["verdict"] = measure::verdict_name(comparison->verdict);
    std::cout << out.dump(1) << "\n";
}

void print_text(const Given& given, const BenchResult& result, const std::optional<Comparison>& comparison) {
    std::cout << measure::table_text(result);
    if (const std::string model = model_text(result); !model.empty()) std::cout << model << "\n";
    if (given.predict) std::cout << "\n" << forecast_text(result, *given.predict);
    if (comparison) std::cout << "\n" << measure::table_text(*comparison);
}

}  // namespace

Result<void> write_output(const Terminal& terminal, const std::string& file, const std::string& text) {
    if (file.empty()) return {};
    if (auto written = write_file(file, text, 0644); !written) return written;
    terminal.ok("wrote", file);
    return {};
}

Result<BenchResult> read_result(const std::string& file) {
    const auto text = read_file(file);
    if (!text) return text.error();
    return measure::parse_result(*text, file);
}

Result<Given> read_given(const AllReduceOptions& options) {
    Given given;
    if (!options.baseline.empty()) {
        auto baseline = read_result(options.baseline);
        if (!baseline) return baseline.error();
        given.baseline = std::move(*baseline);
    }
    if (!options.history.empty() && std::filesystem::exists(options.history)) {
        const auto text = read_file(options.history);
        if (!text) return text.error();
        auto history = measure::load_history(*text, options.history);
        if (!history) return history.error();
        given.history = std::move(*history);
    }
    if (!options.predict.empty()) {
        const auto request = parse_predict(options.predict);
        if (!request) return request.error();
        given.predict = *request;
    }
    return given;
}

int publish(const AllReduceOptions& options, const Terminal& terminal, const Given& given,
            const BenchResult& result) {
    const auto comparison = compared(given, result);
    // What was measured is not lost because it cannot be compared.
    const std::optional<Comparison> none;
    const auto& shown = comparison ? *comparison : none;
    if (options.common.output == "json") print_json(given, result, shown);
    else print_text(given, result, shown);
    if (auto written = write_files(options, terminal, given, result, shown); !written)
        return report(terminal, written.error());
    if (!comparison) return report(terminal, comparison.error());
    return shown ? shown->exit_code() : measure::exit_code(result.verdict);
}

}  // namespace shed::bench
