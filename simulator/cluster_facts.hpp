#pragma once
// What a cluster advertises and says of itself: capacity, GPUs, isolation, kubeconfig.
#include "fakes/kubelet/kubelet.hpp"
#include "simulator/cluster.hpp"

namespace shed {

int gpus_per_node(const Topology& topology, int real_gpus);
NodeCapacity capacity_of(const Topology& topology, int gpus);

std::string isolation_text(const std::string& identity_map);  // "root", "range" or "single"
std::string gpus_text(int gpus, int real_gpus);
std::string store_text(const std::string& file, std::size_t found_objects);
std::string resources_text(const Topology& topology);
std::string kubeconfig_text(const std::string& cluster, const std::string& server,
                            const std::string& ca_pem, const std::string& token);

}  // namespace shed
