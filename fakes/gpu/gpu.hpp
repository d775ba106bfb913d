#pragma once
// NVIDIA GPUs of this machine: found by NVML, the driver's own library, which is loaded at run time
// and never linked; and their lending to containers.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace shed {

// What a container can be given: a whole GPU, or a slice of one that is in MIG mode.
struct Gpu {
    std::string uuid;     // "GPU-..." or "MIG-...": what CUDA_VISIBLE_DEVICES takes
    std::string name;     // "NVIDIA H100 80GB HBM3", of a slice with "MIG 1g.10gb" after it
    std::string profile;  // of a slice "1g.10gb"; empty for a whole GPU
    std::uint64_t memory_bytes = 0;
    std::vector<std::string> devices;  // device nodes of its own, "/dev/nvidia0"

    // The extended resource it counts as, by NVIDIA's device plugin: "nvidia.com/gpu", or
    // "nvidia.com/mig-1g.10gb" (its "mixed" strategy).
    std::string resource() const;
};

struct GpuDriver {
    std::string version;    // of the driver, "580.65.06"; empty: there is none
    std::string problem;    // why there are no GPUs, when there are none
    std::vector<Gpu> gpus;  // whole ones and slices; never a GPU and its slices both
    // The driver's libraries beside its NVML, and its programs beside nvidia-smi.
    std::vector<std::string> files;
};

struct GpuSource {
    // The library's file name or path. TRAINSHED_NVML in the environment replaces it.
    std::string library = "libnvidia-ml.so.1";
    // Below it /proc/driver/nvidia/capabilities says which device nodes a slice needs.
    std::string root = "/";
};
GpuSource gpu_source();  // as the environment says
GpuDriver find_gpus(const GpuSource& source);

// Who has which GPU. Lends the least lent first; a GPU is lent to at most `share` at a time, or to
// any number when share is 0.
class GpuPool {
public:
    explicit GpuPool(std::vector<Gpu> gpus = {}, int share = 0);

    const std::vector<Gpu>& gpus() const { return gpus_; }
    int share() const { return share_; }
    std::map<std::string, int> counts() const;  // by resource
    // `count` GPUs of that resource for `holder`, which gives back what it had before; with share 0
    // as many as there are when it asks for more. `among` narrows the choice to these uuids when it
    // is not empty. False: not enough are free, and `holder` has none.
    bool lend(const std::string& holder, const std::string& resource, int count,
              const std::vector<std::string>& among, std::vector<Gpu>& lent);
    void take_back(const std::string& holder_prefix);
    int lent() const;  // GPUs that are out, each counted as often as it is lent

private:
    std::vector<Gpu> gpus_;
    int share_;
    std::map<std::string, std::vector<std::size_t>> lent_;  // by holder: indexes of gpus_
};

// Device nodes that every container with a GPU needs: those of these that are there.
std::vector<std::string> shared_gpu_devices();

}  // namespace shed
