#include "simulator/node_usage.hpp"

#include "fakes/kubelet/kubelet.hpp"

namespace shed {

std::vector<PodMetrics::Pod> NodeUsage::usage() {
    std::vector<Pod> pods;
    if (host_ == nullptr) return pods;
    for (const PodUsage& measured : host_->usage()) {
        Pod pod;
        pod.uid = measured.uid;
        pod.window = measured.window;
        for (const ContainerUsage& used : measured.containers)
            pod.containers.push_back({used.name, used.cpu_nanocores, used.memory_bytes});
        pods.push_back(std::move(pod));
    }
    return pods;
}

}  // namespace shed
