#pragma once
// A whole cluster in this process: API server, control plane, kubelets and the pods' holder, wired by a Topology.
// Owns everything it starts; stop() leaves no process, mount or namespace behind.
#include "fakes/base/result.hpp"
#include "fakes/kubelet/host_mount.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace shed {

class Client;
class PodLogs;

struct Topology {
    std::string name = "trainshed";
    int nodes = 1;
    std::optional<int> fake_gpus = {};  // exactly so many on each node; unset: max(real, 8)
    // Each real GPU counts so many times and is lent to no more pods at once; the nodes divide them.
    std::optional<int> gpu_share = {};
    bool strict_resources = false;      // advertise what the machine has, no more
    bool faithful_timing = false;
    bool allow_host_namespaces = false;  // hostPID and hostIPC: the pods' own, not the machine's
    double time_scale = 1.0;
    std::int64_t pod_pids_limit = 1024;
    std::uint16_t port = 0;  // 0: a free one
    std::vector<HostMount> mounts;  // in every pod
    std::vector<AllowedHostPath> allowed_host_paths;  // by hostPath volumes
    std::string podinit, catalogue, user_catalogue, environments;
    std::string node_directory;  // the pods' files
    // The cluster's own directory and the lock on it: podinit holds the lock until all is gone and
    // then removes the directory, should this process die first; empty: it stays.
    std::string directory;
    int lock_descriptor = -1;
    std::string store;  // the durable store's file; empty: state is in memory
};

struct ClusterFacts {
    std::string server;      // https://127.0.0.1:PORT
    std::string kubeconfig;  // the whole file
    std::string isolation;   // how pods are kept apart, and by which identity map
    std::string gpus;        // "8 per node (fake: counted, not there in the pod)"
    std::string resources;   // what nodes advertise beyond the machine
    std::string egress;      // what pods can reach
    std::string store;       // where the state is, and what was there already
    std::vector<std::string> mounts;  // what of this machine pods see: "/data at /data, read-only"
};

class Cluster {
public:
    Cluster(boost::asio::io_context& io, Topology topology);
    ~Cluster();

    // Returns once the API answers, the controllers have seen everything and every node is Ready.
    // `progress` is told each stage with its time.
    using Progress = std::function<void(std::string stage, std::string text)>;
    boost::asio::awaitable<Result<ClusterFacts>> start(Progress progress);
    boost::asio::awaitable<void> stop();

    Client& client();   // in memory, as system:admin
    PodLogs& pod_logs();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace shed
