#pragma once
// Real NVIDIA GPUs of this machine, found by NVML without linking it, and their lending to pods
// that asked.
#include <map>
#include <string>
#include <vector>

namespace shed::kubelet {

class GpuPool {
public:
    GpuPool();  // looks for the driver once
    explicit GpuPool(std::vector<int> minors) : minors_(std::move(minors)) {}

    int size() const { return static_cast<int>(minors_.size()); }
    // Device nodes for `count` GPUs, the least lent first. GPUs are shared: there may be more
    // askers than GPUs.
    std::vector<std::string> lend(const std::string& holder, int count);
    void take_back(const std::string& holder_prefix);

private:
    std::vector<int> minors_;
    std::map<std::string, std::vector<int>> lent_;
};

}  // namespace shed::kubelet
