#pragma once
// What both sides of an all-reduce benchmark run: the same program with the same words, once as a TrainJob's command
// and once by bare mpirun. Pure: words and objects only.
#include "fakes/kube/kube.hpp"

#include <optional>
#include <string>
#include <vector>

namespace shed::bench {

struct AllReducePlan {
    int nodes = 2, slots = 1;
    std::string backend = "mpi";     // "mpi", "mlx", "cuda-host", "cuda-ipc", "nccl"
    std::string transport = "veth";  // "veth": a pod for each node; "shm": one pod with all ranks
    // Words for the benchmark program, as its own --help has them: "--min 8 --max 64M ...".
    std::vector<std::string> program_options;
    double flow_delay_percent = 0;   // put into the flow's calls alone, to show that it would be seen
    std::string link;                // name of the file of the link model that paces the calls; empty: none

    int pods() const { return transport == "shm" ? 1 : nodes; }
    int ranks_per_pod() const { return transport == "shm" ? nodes * slots : slots; }
    int ranks() const { return nodes * slots; }
    // With one node, Trainer runs a worker all the same, and would have it and the launcher be nodes.
    bool launcher_is_node() const { return pods() > 1; }
    int workers() const { return launcher_is_node() ? pods() - 1 : 1; }
};

// Where a side finds the things it runs.
struct Places {
    std::string program;       // the C++ benchmark
    std::string mlx_program;   // its twin for MLX
    std::string python;        // for the twin
    std::string python_path;   // PYTHONPATH for it; empty: not needed
    std::string pace_library;  // used when the plan has a link, with ...
    std::string link_file;
};
// Below /opt/trainshed, where the benchmark's cluster mounts them.
Places in_pods(const AllReducePlan& plan);

// What follows mpirun's own hostfile option: "-x NAME=VALUE ... PROGRAM OPTIONS".
std::vector<std::string> mpirun_words(const AllReducePlan& plan, const Places& places, double delay_percent);

// A runtime like the MLX guide's for the image that only has Open MPI, so that nothing needs building.
Json runtime_for(const AllReducePlan& plan, const Json& mlx_runtime);
Json trainjob_for(const AllReducePlan& plan, const std::string& name);

}  // namespace shed::bench
