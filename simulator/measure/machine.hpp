#pragma once
// What a result depends on beside the code: the machine, and how the ranks were set up on it.
#include "simulator/measure/gate.hpp"
#include "simulator/measure/run.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shed::measure {

struct MachineFacts {
    std::string cpu_model;
    int cores = 0;
    std::uint64_t memory_bytes = 0;
    std::string kernel;    // as `uname -r` prints it
    std::string gpu;       // model and count; empty without one
    std::string mpi;       // library and version
    std::string governor;  // of the processor's frequency; empty when the kernel tells none
    double load_before = 0, load_after = 0;  // load averages of one minute
    bool operator==(const MachineFacts&) const = default;
};

// 16 hexadecimal digits of what makes two machines' times comparable: processor model, cores,
// memory in whole GiB (the kernel keeps a varying part for itself), the kernel's major version, GPU
// and MPI version. For grouping, not secrecy.
std::string fingerprint(const MachineFacts& machine);

// What must be equal for two results to be compared.
struct Configuration {
    std::string benchmark = "allreduce";
    Tier tier = Tier::raw;
    int ranks = 0;
    std::vector<int> ranks_per_host;
    std::string backend, dtype, op;
    bool in_place = false;
    std::string timing;
    std::vector<std::string> transports;
    bool yield_when_idle = false;
    std::string binding;
    std::string single_copy, algorithm;
    // The link model of a paced run: its file's name and what it says of the largest size.
    std::string pacing;
    bool operator==(const Configuration&) const = default;
};

Configuration configuration_of(const RunFacts& facts);  // paced where there is a link

// Name and text of each member, in a fixed order.
std::vector<std::pair<std::string, std::string>> fields_of(const Configuration& configuration);
// One line that names the configuration in histories: "allreduce raw ranks=4 hosts=2+2 mpi float32
// sum ...".
std::string configuration_key(const Configuration& configuration);
// "transports: tcp and vader" for the first member that differs; nothing when all are equal.
std::optional<std::string> difference(const Configuration& a, const Configuration& b);

}  // namespace shed::measure
