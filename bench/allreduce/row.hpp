// What was measured for one size, and about the whole run: what the table and the JSON lines are
// made from.
#pragma once

#include "bench/allreduce/options.hpp"
#include "bench/allreduce/pattern.hpp"
#include "bench/allreduce/statistics.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace allreduce {

struct Row {
    Problem problem;
    Timing timing = Timing::slowest;
    std::vector<double> samples_us;   // one per measured call, in order
    std::size_t wrong = 0;            // elements, over all ranks and both checked passes
    double other_cpu_share = 0;       // of the machine's CPU time while this size ran
    double infeasible = 0;            // share of calls that took longer than the link model says
    std::optional<double> target_us;  // of that model
    nlohmann::ordered_json extra = nlohmann::ordered_json::object();  // a backend's own figures

    Summary summary() const { return summarize(samples_us); }
    // The median; for `osu` the mean, which is what OSU prints.
    double time_us() const;
};

struct Host {
    std::string name;
    int ranks = 0;
};

// Names in order of their first rank.
std::vector<Host> count_hosts(const std::vector<std::string>& name_of_rank);

struct McaParameter {
    std::string name, value, source;
};

// What rank 0 knows about this run. See README.md for the words.
struct RunFacts {
    int ranks = 1;
    std::vector<Host> hosts;
    std::string mpi;
    std::vector<std::string> transports;
    std::string single_copy;  // how large messages cross shared memory: "cma", "none", ...
    bool yield_when_idle = false;
    std::string binding;
    std::vector<McaParameter> mca;
    int cores = 0, cpus_allowed = 0;
    std::string algorithm;
    double unix_s = 0, mpi_init_s = 0, init_done_unix_s = 0, first_collective_s = 0;
    std::vector<std::string> argv;
    nlohmann::ordered_json extra = nlohmann::ordered_json::object();
};

}  // namespace allreduce
