#include "simulator/cluster_facts.hpp"

#include "fakes/base/base64.hpp"

#include <unistd.h>

#include <algorithm>

namespace shed {

namespace {

constexpr int shared_gpus = 8;  // so that the guide's patch and notebooks find room on one node

long machine_cores() { return std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)); }

long long machine_memory_mib() {
    return static_cast<long long>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE) /
           (1024 * 1024);
}

}  // namespace

std::vector<Gpu> gpus_of_node(const Topology& topology, const std::vector<Gpu>& real, int index) {
    if (!topology.gpu_share) return real;
    std::vector<Gpu> own;
    for (std::size_t i = static_cast<std::size_t>(index); i < real.size();
         i += static_cast<std::size_t>(topology.nodes))
        own.push_back(real[i]);
    return own;
}

NodeCapacity capacity_of(const Topology& topology, const std::vector<Gpu>& gpus) {
    NodeCapacity capacity;
    capacity.gpus = GpuPool(gpus).counts();
    for (auto& [resource, count] : capacity.gpus) count *= topology.gpu_share.value_or(1);
    int& whole = capacity.gpus["nvidia.com/gpu"];
    if (!topology.gpu_share) whole = topology.fake_gpus.value_or(std::max(whole, shared_gpus));
    if (!topology.strict_resources) return capacity;
    // The nodes share one machine: together they advertise what it has.
    capacity.cpu = std::to_string(machine_cores() * 1000 / topology.nodes) + "m";
    capacity.memory = std::to_string(machine_memory_mib() / topology.nodes) + "Mi";
    return capacity;
}

std::string isolation_text(const std::string& identity_map) {
    const std::string every = "every pod has namespaces of its own";
    if (identity_map == "root") return every + "; pods' ids are a range above root's own";
    if (identity_map == "range") return every + "; pods' ids are your /etc/subuid range";
    return every + "; all pods share your own id (no /etc/subuid range; see trainshed doctor)";
}

std::string gpus_text(const Topology& topology, const GpuDriver& driver) {
    std::string count;
    for (const auto& [resource, amount] : capacity_of(topology, gpus_of_node(topology, driver.gpus, 0)).gpus)
        if (amount > 0) count += (count.empty() ? "" : ", ") + std::to_string(amount) + " " + resource;
    if (count.empty()) return driver.gpus.empty() && topology.gpu_share ? "none: " + driver.problem : "none";
    if (topology.gpu_share) return count + " on node-0, each lent to " + std::to_string(*topology.gpu_share) +
                                   " pod" + (*topology.gpu_share == 1 ? "" : "s") + " at a time";
    count += " per node";
    const std::size_t real = driver.gpus.size();
    if (real == 0) return count + ", fake: counted, but not there in the pod";
    return count + ", on " + std::to_string(real) + " real one" + (real == 1 ? "" : "s") +
           " shared by all pods that ask";
}

std::string store_text(const std::string& file, std::size_t found_objects) {
    if (file.empty()) return "";
    if (found_objects == 0) return file + ", new";
    return file + ", with " + std::to_string(found_objects) + " objects of an earlier run";
}

std::string resources_text(const Topology& topology) {
    const std::string real = std::to_string(machine_cores()) + " cores, " +
                             std::to_string(machine_memory_mib() / 1024) + " GiB";
    if (topology.strict_resources) return "nodes share what this machine has: " + real;
    const NodeCapacity capacity;
    return "each node advertises " + capacity.cpu + " cpu and " + capacity.memory +
           " of memory; this machine has " + real;
}

std::string kubeconfig_text(const std::string& cluster, const std::string& server,
                            const std::string& ca_pem, const std::string& token) {
    const std::string name = cluster == "trainshed" ? cluster : "trainshed-" + cluster;
    return "apiVersion: v1\nkind: Config\nclusters:\n- name: " + name +
           "\n  cluster:\n    server: " + server +
           "\n    certificate-authority-data: " + encode_base64(ca_pem) +
           "\ncontexts:\n- name: " + name + "\n  context:\n    cluster: " + name +
           "\n    user: " + name + "\n    namespace: default\ncurrent-context: " + name +
           "\nusers:\n- name: " + name + "\n  user:\n    token: " + token + "\n";
}

}  // namespace shed
