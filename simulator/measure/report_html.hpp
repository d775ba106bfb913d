#pragma once
// The performance report: one HTML file that needs nothing else, light or dark, with its data
// inside.
#include "simulator/measure/collective.hpp"
#include "simulator/measure/compare.hpp"
#include "simulator/measure/fit.hpp"
#include "simulator/measure/history.hpp"

namespace shed::measure {

// A model's times to draw beside the measured ones.
struct ModelLine {
    std::string name;                // "a + b S + c sqrt(S)", "ring, 10 Gbit/s"
    std::vector<Point> points;       // by size
    std::optional<FitError> error;   // at sizes that the model had not seen
    std::vector<std::string> notes;  // coefficients, and what it leaves out
};

struct ReportInput {
    BenchResult result;
    std::optional<BenchResult> baseline;
    std::optional<Comparison> comparison;  // baseline against result
    std::vector<HistoryEntry>
        history;  // of this machine and configuration, by time; may hold this result
    std::vector<ModelLine> models;
};

// The curve through the flow's medians, fitted to every third size of at least 64 KiB; none when
// there are too few.
std::vector<ModelLine> fitted_models(const BenchResult& result);
// What the link model of a paced result says; none of a raw one.
std::vector<ModelLine> paced_models(const BenchResult& result);
// What an algorithm over this link would take, for every size of the result.
ModelLine predicted_model(const BenchResult& result, Algorithm algorithm, const Link& link);

// Text from input is escaped and repaired; no script is needed to read it, none is loaded from
// elsewhere.
std::string report_html(const ReportInput& input);

}  // namespace shed::measure
