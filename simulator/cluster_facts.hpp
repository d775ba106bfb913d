#pragma once
// What a cluster advertises and says of itself: capacity, GPUs, isolation, kubeconfig.
#include "fakes/kubelet/kubelet.hpp"
#include "simulator/cluster.hpp"

namespace shed {

// The GPUs of this machine that pods of node `index` may get; all of them when nodes do not divide them.
std::vector<Gpu> gpus_of_node(const Topology& topology, const std::vector<Gpu>& real, int index);
// `gpus`: those of the node.
NodeCapacity capacity_of(const Topology& topology, const std::vector<Gpu>& gpus);

std::string isolation_text(const std::string& identity_map);  // "root", "range" or "single"
std::string gpus_text(const Topology& topology, const GpuDriver& driver);
std::string store_text(const std::string& file, std::size_t found_objects);
std::string resources_text(const Topology& topology);
std::string kubeconfig_text(const std::string& cluster, const std::string& server,
                            const std::string& ca_pem, const std::string& token);

}  // namespace shed
