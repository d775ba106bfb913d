#pragma once
// What the measured times say beyond themselves: a curve through them, and times of clusters that are not here.
#include "fakes/base/result.hpp"
#include "simulator/measure/collective.hpp"
#include "simulator/measure/fit.hpp"
#include "simulator/measure/result.hpp"

namespace shed::bench {

struct PredictRequest {
    int ranks = 0;
    measure::Link link;
};
// "ranks=64,latency_us=5,bandwidth_gbps=100"; gbps are 10^9 bits per second, one direction of one rank's link.
// Error bad_request names what is missing, unknown or no number.
Result<PredictRequest> parse_predict(const std::string& text);

// The flow's medians as a curve, with how well it foretold the sizes it was not fitted to; empty with too few sizes.
std::string model_text(const measure::BenchResult& result);
// A table: each measured size, and what four algorithms would take on the cluster asked for.
std::string forecast_text(const measure::BenchResult& result, const PredictRequest& request);
// {"fit": {...}, "forecast": {...}}, for -o json.
nlohmann::json model_json(const measure::BenchResult& result, const PredictRequest* request);

}  // namespace shed::bench
