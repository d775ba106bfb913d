#pragma once
// The swap point of the kubelet: what starts and stops containers. process_runtime drives podinit;
// paper_runtime pretends, for tests and rehearsals. Everything above (pods, probes, back-off,
// status) is the same for both.
#include "fakes/base/result.hpp"
#include "fakes/base/time.hpp"
#include "fakes/cgroup/cgroup.hpp"
#include "fakes/streams/streams.hpp"

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shed {

using SpecRecord = std::vector<std::string>;  // one record of a podinit SPEC file
using Spec = std::vector<SpecRecord>;

struct SandboxRequest {
    std::string pod_uid;
    Spec spec;
    CgroupLimits limits = {};
};
struct ContainerRequest {
    std::string pod_uid, name;
    int attempt = 0;
    Spec spec;
    CgroupLimits limits = {};
};
struct ExecRequest {
    std::string pod_uid, container;
    Spec spec;
    Duration timeout{};
};
struct ExecResult {
    int code = 0;
    std::string output;  // stdout and stderr, the first 10 KiB
};
// What a probe or hook asks of a socket in the cluster's network.
struct ProbeRequest {
    enum class Kind { tcp, http, https, grpc };
    Kind kind = Kind::tcp;
    std::string address;
    int port = 0;
    std::string text = {};  // http, https: the request; grpc: the service
    Duration timeout{};
};
struct ContainerExit {
    std::string pod_uid, name;
    int attempt = 0;
    int code = 0;  // as Kubernetes counts: 128 + N for signal N
    int signal = 0;
    Time started{}, finished{};
    bool oom_killed = false;
};
// What a running container has used since it started.
struct ContainerReading {
    std::string pod_uid, container;
    CgroupUsage used = {};
    std::chrono::steady_clock::time_point started{};
};

class Runtime {
public:
    virtual ~Runtime() = default;
    using ExitHandler = std::function<void(const ContainerExit&)>;
    virtual void on_exit(ExitHandler handler) = 0;
    // Called with the pod's uid when a sandbox died by itself, with everything in it.
    virtual void on_sandbox_lost(std::function<void(const std::string&)> handler) {
        static_cast<void>(handler);
    }
    // True when this machine lends pods one id only: then there are no groups, and secret files
    // must be 0600.
    virtual bool single_identity() const { return false; }
    // Why pods are not held to limits of "memory", "cpu" or "pids"; empty when they are.
    virtual std::string unenforced(std::string_view resource) const {
        static_cast<void>(resource);
        return {};
    }
    virtual std::vector<ContainerReading> read_usage() const { return {}; }
    virtual boost::asio::awaitable<Result<void>> files(Spec operations) = 0;
    virtual boost::asio::awaitable<Result<void>> start_sandbox(SandboxRequest request) = 0;
    virtual boost::asio::awaitable<Result<void>> start_container(ContainerRequest request) = 0;
    virtual boost::asio::awaitable<Result<void>> stop_container(std::string pod_uid,
                                                                std::string name,
                                                                Duration grace) = 0;
    virtual boost::asio::awaitable<Result<ExecResult>> exec(ExecRequest request) = 0;
    // The same for a client that is there: its streams are the command's. The time-out is ignored.
    virtual boost::asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> exec_stream(
        ExecRequest request, CommandStreams wanted);
    // The standard input of a running container that was started with one, or its terminal.
    virtual boost::asio::awaitable<Result<PodSocket>> container_input(std::string pod_uid,
                                                                      std::string container);
    // It ends when what container_input() gave is closed, too.
    virtual boost::asio::awaitable<void> end_container_input(std::string pod_uid,
                                                             std::string container);
    // Connects to a port of the pod's own loopback address.
    virtual boost::asio::awaitable<Result<PodSocket>> dial(std::string pod_uid, int port);
    // The status code of http and https, where no certificate is looked at; the serving status of
    // grpc; 0 for tcp, when the port accepts. Errors are in the words of a kubelet's prober.
    virtual boost::asio::awaitable<Result<int>> probe(ProbeRequest request) = 0;
    virtual boost::asio::awaitable<Result<void>> remove_pod(std::string pod_uid) = 0;
    virtual boost::asio::awaitable<Result<void>> set_dns(std::string table) = 0;
};

}  // namespace shed
