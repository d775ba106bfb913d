#include "simulator/paper/node.hpp"

#include <filesystem>

namespace shed {

namespace {

// Every image is there and has a command of its own.
Environment any_image() {
    Environment environment;
    environment.command = {"main"};
    return environment;
}

}  // namespace

NodeCapacity PaperNode::big_node() {
    NodeCapacity capacity;
    capacity.cpu = "512";
    capacity.memory = "2Ti";
    capacity.gpus = {{"nvidia.com/gpu", 256}};
    return capacity;
}

PaperNode::PaperNode(PaperCluster& cluster, Behaviour behaviour, NodeCapacity capacity,
                     GpuPool gpus)
    : cluster_(cluster),
      client_(local_client(cluster.api(), cluster.clock(), cluster.executor(), "kubelet")),
      runtime_(cluster.clock(), cluster.executor()),
      tasks_(cluster.executor()) {
    char name[] = "/tmp/shed-flow-XXXXXX";
    directory_ = ::mkdtemp(name);
    runtime_.behave([this, behaviour](const ContainerRequest& request) {
        const ObjectPtr pod = cluster_.store().find_by_uid(request.pod_uid);
        return pod ? behaviour(*pod, request.attempt) : PaperRuntime::Behaviour();
    });
    runtime_.answer_probes([](const std::string&, int) { return Result<int>(0); });
    KubeletHost::Deps deps{*client_,
                           runtime_,
                           cluster.clock(),
                           [](const std::string&) { return Result<Environment>(any_image()); },
                           cluster.executor(),
                           directory_,
                           [](const TokenRequest&) { return Result<std::string>("token"); },
                           std::move(gpus)};
    host_ = std::make_unique<KubeletHost>(std::move(deps));
    KubeletConfig config;
    config.node = "node-a";
    config.capacity = capacity;
    kubelet_ = std::make_unique<Kubelet>(*host_, config);
    tasks_.spawn("host", host_->run());
    tasks_.spawn("kubelet", kubelet_->run());
    cluster_.settle();
}

PaperNode::~PaperNode() {
    tasks_.cancel();
    cluster_.settle();
    kubelet_.reset();
    host_.reset();
    cluster_.settle();
    std::filesystem::remove_all(directory_);
}

}  // namespace shed
