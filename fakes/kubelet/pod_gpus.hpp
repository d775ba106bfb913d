#pragma once
// What a container gets because of its GPUs, and what one without must not see of the driver.
#include "fakes/gpu/gpu.hpp"
#include "fakes/kubelet/compose.hpp"

namespace shed::kubelet {

// GPUs by extended resource that a container asks for: limits of nvidia.com/...
std::map<std::string, int> gpus_wanted(const Json& container);

// Lends them and adds to `inputs`: device nodes; NVIDIA_VISIBLE_DEVICES, as the device plugin sets
// it, and CUDA_VISIBLE_DEVICES; both also for what sshd starts in the pod. A container that gets
// none has the driver's files hidden instead. Error conflict, in the words of a kubelet's device
// manager, when there are not enough.
Result<void> add_gpus(GpuPool& pool, const std::string& holder,
                      const std::vector<std::string>& among,
                      const std::vector<std::string>& driver_files, ContainerInputs& inputs);

}  // namespace shed::kubelet
