#pragma once
// The words of `trainshed bench`.
#include "simulator/bench/bench.hpp"

#include <CLI/App.hpp>
#include <functional>

namespace shed::bench {

struct CommandLine {
    AllReduceOptions allreduce;
    CompareOptions compare;
    HistoryOptions history;
};

// Adds the commands to `app`; a parsed one puts itself into `action`. `common` is filled by then.
void add_bench(CLI::App& app, CommandLine& line, CommonOptions& common, std::function<int()>& action);

}  // namespace shed::bench
