#pragma once
// The flow's side of a benchmark: one TrainJob after another on a cluster of its own, each watched from its creation
// to its end.
#include "simulator/bench/plan.hpp"
#include "simulator/cluster.hpp"

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <string>

namespace shed::bench {

// Seconds of wall-clock time since 1970, as the benchmark program prints them.
double wall_seconds();

struct LaunchMarks {
    double submitted = 0;        // just before the TrainJob is created
    double workers_running = 0;  // the last of the pods that run sshd; 0 without any
    double workers_ready = 0;    // sshd answers in all of them
    double launcher_running = 0; // mpirun starts
    double complete = 0;         // the TrainJob's end was seen
};

struct FlowRun {
    std::string log;  // the launcher's
    LaunchMarks marks;
};

class FlowSide {
public:
    FlowSide(Cluster& cluster, AllReducePlan plan) : cluster_(cluster), plan_(std::move(plan)) {}

    boost::asio::awaitable<Result<void>> prepare();  // creates the runtime
    // Error failed: the job failed (with the end of its log) or did not end within `limit`.
    boost::asio::awaitable<Result<FlowRun>> run(std::string name, std::chrono::seconds limit);

private:
    boost::asio::awaitable<Result<void>> remove(std::string name);

    Cluster& cluster_;
    AllReducePlan plan_;
};

}  // namespace shed::bench
