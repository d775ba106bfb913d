#pragma once
// `trainshed bench`: all-reduce through the whole flow, beside its floor, against a baseline, over time.
#include "simulator/commands.hpp"

namespace shed::bench {

struct AllReduceOptions {
    CommonOptions common;
    int nodes = 2, slots = 1;
    std::string backend = "mpi", transport = "veth", link;
    bool floor = false;
    int repeats = 10;
    // For the benchmark program, whose own words they are.
    std::string min = "8", max = "64M", sizes, dtype = "float32", op = "sum", timing = "slowest";
    int factor = 2;
    bool in_place = false;
    double budget_s = 0.1;
    std::optional<int> iterations, warmup;
    double flow_delay_percent = 0;
    double timeout_s = 600;  // of one run
    std::string save, baseline, report, junit, csv, google_benchmark, history, predict;
};

struct CompareOptions {
    CommonOptions common;
    std::string a, b;  // results, ours or Google Benchmark's
    std::string report, junit;
};

struct HistoryOptions {
    CommonOptions common;
    std::string file;
};

int command_allreduce(const AllReduceOptions& options);
int command_compare(const CompareOptions& options);
int command_history(const HistoryOptions& options);

}  // namespace shed::bench
