#pragma once
// What a benchmark needs of this machine: where its programs are, and the facts that its figures depend on.
#include "simulator/bench/plan.hpp"
#include "simulator/measure/machine.hpp"

namespace shed {
struct HostMount;
}

namespace shed::bench {

struct HostSide {
    Places places;                  // on this machine, for the bare side
    std::vector<HostMount> mounts;  // what pods see of it, for in_pods()
    std::string script;             // bare-nodes
    std::string mca_parameters;     // Open MPI's parameters as the pods' image has them
};
// Error environment: the benchmark was not built or installed, or an environment it needs is not there, with what to do.
Result<HostSide> host_side(const AllReducePlan& plan, const std::string& link_file);

measure::MachineFacts machine_facts();  // mpi and load_after are the caller's
double load_average();                  // of one minute
// The share of the next tenth of a second in which some process waited for a processor: 0 to 1 (PSI's "some"), 0 where
// the kernel does not tell. The average that the kernel keeps would still hold the run before.
double pressure_share();

}  // namespace shed::bench
