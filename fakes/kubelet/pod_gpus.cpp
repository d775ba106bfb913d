#include "fakes/kubelet/pod_gpus.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {

namespace {

constexpr std::string_view gpu_prefix = "nvidia.com/";
// The mpi environment's sshd_config includes it: what sshd starts has nothing else of the pod's env.
constexpr const char* ssh_environment = "/etc/ssh/sshd_gpus.conf";

std::string joined_uuids(const std::vector<Gpu>& gpus) {
    std::string uuids;
    for (const Gpu& gpu : gpus) uuids += (uuids.empty() ? "" : ",") + gpu.uuid;
    return uuids;
}

void add_devices(const std::vector<Gpu>& gpus, ContainerInputs& inputs) {
    std::set<std::string> devices;  // slices of one GPU have it in common
    for (const Gpu& gpu : gpus) devices.insert(gpu.devices.begin(), gpu.devices.end());
    for (std::string& shared : shared_gpu_devices()) devices.insert(std::move(shared));
    inputs.devices.assign(devices.begin(), devices.end());
}

}  // namespace

std::map<std::string, int> gpus_wanted(const Json& container) {
    std::map<std::string, int> wanted;
    const Json& limits = at_path(container, "resources.limits");
    if (!limits.is_object()) return wanted;
    for (const auto& [name, amount] : limits.items()) {
        const auto quantity = Quantity::from_json(amount);
        if (name.starts_with(gpu_prefix) && quantity && quantity->value() > 0)
            wanted[name] = static_cast<int>(quantity->value());
    }
    return wanted;
}

Result<void> add_gpus(GpuPool& pool, const std::string& holder,
                      const std::vector<std::string>& among,
                      const std::vector<std::string>& driver_files, ContainerInputs& inputs) {
    std::vector<Gpu> all;
    pool.take_back(holder + "/");
    for (const auto& [resource, count] : gpus_wanted(*inputs.container)) {
        std::vector<Gpu> lent;
        if (!pool.lend(holder + "/" + resource, resource, count, among, lent)) {
            pool.take_back(holder + "/");
            return Error{Reason::conflict,
                         "Allocate failed due to requested number of devices unavailable for " +
                             resource + ". Requested: " + std::to_string(count) +
                             ": others that ended still hold them"};
        }
        all.insert(all.end(), lent.begin(), lent.end());
    }
    if (all.empty()) {
        inputs.hidden = driver_files;
        return {};
    }
    add_devices(all, inputs);
    const std::string uuids = joined_uuids(all);
    std::string for_ssh = "SetEnv";
    for (const char* name : {"CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES"}) {
        inputs.variables.insert(inputs.variables.begin(), {name, uuids});  // The pod's own env wins.
        for_ssh += std::string(" ") + name + "=" + uuids;
    }
    inputs.environment.files[ssh_environment] = for_ssh + "\n";
    return {};
}

}  // namespace shed::kubelet
