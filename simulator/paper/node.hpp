#pragma once
// A node with the real kubelet, whose containers are of paper. Goes before its cluster does.
#include "fakes/kubelet/kubelet.hpp"
#include "fakes/net/tasks.hpp"
#include "simulator/paper/cluster.hpp"

namespace shed {

class PaperNode {
public:
    // What the main container of the pod does; asked at each start.
    using Behaviour = std::function<PaperRuntime::Behaviour(const Object& pod, int attempt)>;

    PaperNode(PaperCluster& cluster, Behaviour behaviour, NodeCapacity capacity = big_node(),
              GpuPool gpus = GpuPool());
    ~PaperNode();
    static NodeCapacity big_node();
    const GpuPool& gpus() const { return host_->gpus(); }

private:
    PaperCluster& cluster_;
    std::unique_ptr<Client> client_;
    PaperRuntime runtime_;
    std::string directory_;
    Tasks tasks_;
    std::unique_ptr<KubeletHost> host_;
    std::unique_ptr<Kubelet> kubelet_;
};

}  // namespace shed
