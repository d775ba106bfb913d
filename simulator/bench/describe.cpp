#include "simulator/bench/outcome.hpp"

#include <algorithm>
#include <cstdio>
#include <map>

namespace shed::bench {

namespace {

std::string joined(const std::vector<std::string>& words, const char* between = " ") {
    std::string out;
    for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
    return out;
}

std::string transports_of(const measure::RunFacts& facts) { return joined(facts.transports, ", "); }

// One note for each place that sets some: "flow's Open MPI parameters from environment: a = 1, b = 2".
void note_parameters(std::vector<std::string>& notes, const std::string& side, const measure::RunFacts& facts) {
    std::map<std::string, std::string> by_source;
    for (const measure::McaSetting& setting : facts.mca) {
        std::string& text = by_source[setting.source];
        text += (text.empty() ? "" : ", ") + setting.name + " = " + setting.value;
    }
    for (const auto& [source, text] : by_source)
        notes.push_back(side + "'s Open MPI parameters from " + source + ": " + text);
}

}  // namespace

void describe(measure::BenchResult& result, const AllReducePlan& plan, const std::vector<std::string>& bare_words,
              const std::string& isolation, const measure::RunFacts& flow, const measure::RunFacts* bare) {
    std::vector<std::string>& notes = result.notes;
    std::vector<std::string> command = {"mpirun", "--hostfile", "/etc/mpi/hostfile"};
    const auto words = mpirun_words(plan, in_pods(plan), plan.flow_delay_percent);
    command.insert(command.end(), words.begin(), words.end());
    result.command = joined(command);
    const int cores = std::max(1, flow.cores);
    char density[64];
    std::snprintf(density, sizeof density, "%.2g per core", static_cast<double>(flow.ranks) / cores);
    notes.push_back(std::to_string(flow.ranks) + " ranks on " + std::to_string(cores) + " cores (" + density +
                    "), an emulated cluster: times say how the code does, not how a cluster would");
    notes.push_back("transport as Open MPI used it: flow " + transports_of(flow) +
                    (bare ? ", bare " + transports_of(*bare) : ""));
    if (plan.transport == "shm")
        notes.push_back("one pod with all ranks: Open MPI uses no shared memory between pods");
    notes.push_back("isolation of pods: " + isolation);
    if (plan.flow_delay_percent > 0)
        notes.push_back("the flow's calls were slowed on purpose (--flow-delay): no result of the code");
    notes.push_back("flow runs: " + result.command);
    if (bare != nullptr) notes.push_back("bare runs: " + joined(bare_words));
    note_parameters(notes, "flow", flow);
    if (bare != nullptr) note_parameters(notes, "bare", *bare);
}

}  // namespace shed::bench
