#pragma once
// Runs an all-reduce through the flow and, in turns, by bare mpirun; what both measured, parsed.
#include "simulator/bench/bare_side.hpp"
#include "simulator/bench/flow_side.hpp"
#include "simulator/measure/paired.hpp"

#include <functional>

namespace shed::bench {

struct Measured {
    std::vector<measure::Run> flow, bare;       // bare: empty without a floor
    std::vector<measure::Launch> flow_launch, bare_launch;
};

struct RunPlan {
    int repeats = 10;
    bool floor = false;
    std::chrono::seconds limit{600};  // of one run
    // Told of each repeat when it has ended: its number from 1, seconds of flow and of bare (0 without a floor).
    std::function<void(int repeat, double flow_s, double bare_s)> progress;
};

// Every second pair begins with the bare side, so that neither always meets what the other left behind.
boost::asio::awaitable<Result<Measured>> measure_runs(FlowSide& flow, BareSide& bare, const RunPlan& plan);

// What passed from creating the TrainJob to the first collective.
measure::Launch launch_of(const LaunchMarks& marks, const measure::RunFacts& facts);

}  // namespace shed::bench
