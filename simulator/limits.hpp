#pragma once
// What this machine's kernel holds pods to: the control groups of a cluster, and what `doctor` says of them.
#include "simulator/cluster.hpp"
#include "simulator/doctor.hpp"

namespace shed {

class CgroupTree;

// Makes the cluster's groups, after having written down in its directory where they are: podinit's keeper, or else the
// next `up`, removes them by that.
Result<std::shared_ptr<CgroupTree>> make_groups(const Topology& topology);
// One for each of memory, cpu and pids: "resources-memory", ...; none of them is ever more than a warning.
std::vector<Finding> examine_limits();

}  // namespace shed
