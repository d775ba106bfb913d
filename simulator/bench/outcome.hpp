#pragma once
// What becomes of a measured result: notes that make it honest, comparison, files, the terminal, the exit code.
#include "simulator/bench/bench.hpp"
#include "simulator/bench/forecast.hpp"
#include "simulator/bench/plan.hpp"
#include "simulator/measure/compare.hpp"
#include "simulator/measure/history.hpp"

namespace shed::bench {

// What the options name, read before anything is measured: a mistake shows at once, not after minutes.
struct Given {
    std::optional<measure::BenchResult> baseline;
    std::vector<measure::HistoryEntry> history;  // of every machine, as the file has it
    std::optional<PredictRequest> predict;
};
Result<Given> read_given(const AllReduceOptions& options);

// Adds the command and what a reader must know: ranks and cores, flags, the transport really used, Open MPI's
// parameters and where they come from, both command lines. `bare`: nullptr without a floor.
void describe(measure::BenchResult& result, const AllReducePlan& plan, const std::vector<std::string>& bare_words,
              const std::string& isolation, const measure::RunFacts& flow, const measure::RunFacts* bare);

// Compares with the baseline if there is one, writes what was asked for, prints; the exit code.
int publish(const AllReduceOptions& options, const Terminal& terminal, const Given& given,
            const measure::BenchResult& result);

// For compare and history, too.
Result<measure::BenchResult> read_result(const std::string& file);
nlohmann::json to_json(const measure::Comparison& comparison);
// Writes `text` to `file` unless that is empty; says so on stderr.
Result<void> write_output(const Terminal& terminal, const std::string& file, const std::string& text);

}  // namespace shed::bench
