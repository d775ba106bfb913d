#include "fakes/kubelet/gpu.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace shed::kubelet {
namespace {

// Device minor numbers N of /dev/nvidiaN, by the driver's own library.
std::vector<int> find_minors() {
    using Device = void*;
    const std::unique_ptr<void, int (*)(void*)> library(
        ::dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL),
        [](void* handle) { return handle == nullptr ? 0 : ::dlclose(handle); });
    if (library == nullptr) return {};
    const auto find = [&]<class F>(F*& function, const char* name) {
        function = reinterpret_cast<F*>(::dlsym(library.get(), name));
        return function != nullptr;
    };
    int (*init)() = nullptr;
    int (*shutdown)() = nullptr;
    int (*count_of)(unsigned*) = nullptr;
    int (*handle_of)(unsigned, Device*) = nullptr;
    int (*minor_of)(Device, unsigned*) = nullptr;
    if (!find(init, "nvmlInit_v2") || !find(shutdown, "nvmlShutdown") ||
        !find(count_of, "nvmlDeviceGetCount_v2") ||
        !find(handle_of, "nvmlDeviceGetHandleByIndex_v2") ||
        !find(minor_of, "nvmlDeviceGetMinorNumber")) {
        return {};
    }
    if (init() != 0) return {};
    std::vector<int> minors;
    unsigned count = 0;
    if (count_of(&count) != 0) count = 0;
    for (unsigned index = 0; index < count; ++index) {
        Device device = nullptr;
        unsigned minor = 0;
        if (handle_of(index, &device) == 0 && minor_of(device, &minor) == 0)
            minors.push_back(static_cast<int>(minor));
    }
    shutdown();
    return minors;
}

}  // namespace

GpuPool::GpuPool() : minors_(find_minors()) {}

std::vector<std::string> GpuPool::lend(const std::string& holder, int count) {
    std::vector<std::string> devices;
    if (count <= 0 || minors_.empty()) return devices;
    std::map<int, int> uses;
    for (const int minor : minors_) uses[minor] = 0;
    lent_.erase(holder);
    for (const auto& [other, minors] : lent_) {
        for (const int minor : minors) ++uses[minor];
    }
    std::vector<int> order = minors_;
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return uses[a] < uses[b]; });
    if (static_cast<std::size_t>(count) < order.size())
        order.resize(static_cast<std::size_t>(count));
    for (const int minor : order) devices.push_back("/dev/nvidia" + std::to_string(minor));
    for (const char* shared :
         {"/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools", "/dev/nvidia-modeset"}) {
        if (::access(shared, F_OK) == 0) devices.emplace_back(shared);
    }
    lent_[holder] = std::move(order);
    return devices;
}

void GpuPool::take_back(const std::string& holder_prefix) {
    std::erase_if(lent_, [&](const auto& entry) { return entry.first.starts_with(holder_prefix); });
}

}  // namespace shed::kubelet
