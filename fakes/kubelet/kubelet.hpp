#pragma once
// The node agent: takes the pods bound to its node and makes them run, through a Runtime, telling
// the cluster by status and events. Sees the cluster only through Client. Promises that a container
// starts only after its volumes are there and its own name resolves; never restarts what it has not
// seen end.
#include "fakes/base/rng.hpp"
#include "fakes/client/client.hpp"
#include "fakes/gpu/gpu.hpp"
#include "fakes/images/images.hpp"
#include "fakes/kubelet/history.hpp"
#include "fakes/kubelet/host_mount.hpp"
#include "fakes/kubelet/runtime.hpp"
#include "fakes/kubelet/usage.hpp"
#include "fakes/net/clock.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <map>
#include <memory>

namespace shed {

struct TokenRequest {
    std::string ns, service_account, audience, pod_name, pod_uid;
    std::int64_t expiration_seconds = 3600;
};
using TokenFunction = std::function<Result<std::string>(const TokenRequest&)>;
using ImageFunction =
    std::function<Result<Environment>(const std::string& image)>;  // Catalogue::resolve

struct NodeCapacity {
    std::string cpu = "64", memory = "256Gi", ephemeral_storage = "1Ti";
    int pods = 250;
    std::map<std::string, int> gpus = {};  // by extended resource, "nvidia.com/gpu"
};

struct KubeletConfig {
    std::string node = "node-0";
    std::map<std::string, std::string> labels = {};  // besides the well-known ones
    NodeCapacity capacity = {};
    std::string host_ip = "10.244.0.1";
    bool faithful_timing = false;
    std::int64_t pod_pids_limit = 1024;  // podPidsLimit; a real kubelet's default is none
    std::vector<std::string> gpus = {};  // uuids that this node's pods may get; empty: all
    // Pods may share the PID and IPC namespaces of the cluster's holder: see all pods' processes.
    bool allow_host_namespaces = false;
    // In every pod.
    std::vector<HostMount> host_mounts = {};
    // By hostPath volumes. The runtime must have been given the sources of both, in this order.
    std::vector<AllowedHostPath> allowed_host_paths = {};
};

// What the kubelets of one process share: the runtime, the directory of pods, pod addresses, DNS
// and real GPUs.
class KubeletHost {
public:
    struct Deps {
        Client& client;
        Runtime& runtime;
        Clock& clock;
        ImageFunction resolve_image;
        boost::asio::any_io_executor executor;
        std::string directory;  // pods live in directory/pods/UID; it must be usable by the runtime
        TokenFunction token = {};
        GpuPool gpus = GpuPool();                     // of this machine
        std::vector<std::string> driver_files = {};  // not there for pods without a GPU
    };
    explicit KubeletHost(Deps deps);
    ~KubeletHost();

    boost::asio::awaitable<void> run();  // keeps DNS current, until cancelled
    void close();  // ends its watches; they unwind in the loop's next turns, which the client must outlive
    std::string dns_table() const;       // as last given to the runtime
    const GpuPool& gpus() const;         // who has which
    std::vector<PodUsage> usage();       // what all pods of this machine use now
    // The last pods that are gone, as they were last; their logs are still there.
    std::vector<ObjectPtr> gone_pods(const std::string& ns) const;

    // What clients are let do in a pod of this machine; an error is a kubelet's refusal.
    Result<StartCommand> exec(const std::string& pod_uid, const std::string& container,
                              const std::vector<std::string>& command, CommandStreams wanted);
    Result<StartCommand> attach(const Object& pod, const std::string& container,
                                CommandStreams wanted);
    DialPod dial(const std::string& pod_uid);

    struct Impl;
    Impl& impl() { return *impl_; }

private:
    std::unique_ptr<Impl> impl_;
};

class Kubelet {
public:
    Kubelet(KubeletHost& host, KubeletConfig config);
    ~Kubelet();

    boost::asio::awaitable<void> run();  // registers the node, then works until cancelled
    bool ready() const;                  // the node is registered and its pods are known
    std::size_t pods() const;            // that have something on this machine
    void close();                        // begins nothing more, and no longer complains

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// ---- logs: the files of CRI lines that podinit writes
struct LogQuery {
    std::string pod_uid, container;
    int attempt = 0;  // the restartCount whose output is wanted
    bool follow = false, timestamps = false;
    std::optional<std::int64_t> tail_lines = {}, limit_bytes = {};
    std::optional<Time> since = {};
    std::string stream = {};  // "stdout" or "stderr"; empty: both
};

// One reading of one attempt's log. With follow it ends when the container has ended and all was
// read.
class LogReader {
public:
    LogReader(boost::asio::any_io_executor executor, const std::string& directory, LogQuery query);
    ~LogReader();
    // The next lines, as they became available; empty at the end. not_found when there is no such
    // log.
    boost::asio::awaitable<Result<std::string>> read();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// ---- runtimes
struct HolderOptions {
    std::string directory;  // DIR of podinit's protocol; made if missing
    std::string podinit;    // empty: beside /proc/self/exe
    // A directory that goes with DIR, and a descriptor held open until both have gone, whoever dies
    // first: a lock on it tells others that something is still here.
    std::string also_remove = {};
    int keep_open = -1;
    // Sources of the kubelets' host mounts, then their allowed host paths.
    std::vector<std::string> shared = {};
    std::shared_ptr<CgroupTree> groups = {};  // of the pods; without it none is limited
};

// Real processes, by podinit. The holder lives until this object is destroyed or quit() is called.
class ProcessRuntime final : public Runtime {
public:
    ProcessRuntime(boost::asio::any_io_executor executor, HolderOptions options);
    ~ProcessRuntime() override;

    boost::asio::awaitable<Result<void>>
    start();                                      // error environment: this machine cannot, and why
    boost::asio::awaitable<void> quit();          // returns when nothing is left
    void on_lost(std::function<void()> handler);  // the holder died
    std::string identity_map() const;             // "root", "range" or "single"
    // Descriptors of sockets in the cluster's network, for the API's service address and
    // port-forward.
    boost::asio::awaitable<Result<int>> listen(std::string address, int port);
    boost::asio::awaitable<Result<int>> connect(std::string address, int port);
    // Runs a command in a running container on the caller's three descriptors, which it does not
    // close; returns the exit code.
    boost::asio::awaitable<Result<int>> exec_on(ExecRequest request, int in, int out, int err);

    void on_exit(ExitHandler handler) override;
    void on_sandbox_lost(std::function<void(const std::string&)> handler) override;
    bool single_identity() const override;
    std::string unenforced(std::string_view resource) const override;
    std::vector<ContainerReading> read_usage() const override;
    boost::asio::awaitable<Result<void>> files(Spec operations) override;
    boost::asio::awaitable<Result<void>> start_sandbox(SandboxRequest request) override;
    boost::asio::awaitable<Result<void>> start_container(ContainerRequest request) override;
    boost::asio::awaitable<Result<void>> stop_container(std::string pod_uid, std::string name,
                                                        Duration grace) override;
    boost::asio::awaitable<Result<ExecResult>> exec(ExecRequest request) override;
    boost::asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> exec_stream(
        ExecRequest request, CommandStreams wanted) override;
    boost::asio::awaitable<Result<PodSocket>> container_input(std::string pod_uid,
                                                              std::string container) override;
    boost::asio::awaitable<void> end_container_input(std::string pod_uid,
                                                     std::string container) override;
    boost::asio::awaitable<Result<PodSocket>> dial(std::string pod_uid, int port) override;
    boost::asio::awaitable<Result<int>> probe(ProbeRequest request) override;
    boost::asio::awaitable<Result<void>> remove_pod(std::string pod_uid) override;
    boost::asio::awaitable<Result<void>> set_dns(std::string table) override;

    struct Impl;  // for this module's files

private:
    std::unique_ptr<Impl> impl_;
};

// Pretends: containers run until told to end. For tests and rehearsals.
class PaperRuntime final : public Runtime {
public:
    PaperRuntime(Clock& clock, boost::asio::any_io_executor executor);
    ~PaperRuntime() override;

    // What a container does: ends with `code` after `runs`, or runs until it is stopped.
    struct Behaviour {
        std::optional<Duration> runs = {};
        int code = 0;
        int stop_code = 143;
        std::string start_error = {};
    };
    void behave(std::function<Behaviour(const ContainerRequest&)> decide);
    void end(const std::string& pod_uid, const std::string& name,
             int code);  // as if its main process ended
    void limit_nothing(std::string why);  // as where there are no control groups
    void answer_probes(std::function<Result<int>(const std::string& address, int port)> answer);
    void answer_commands(std::function<Result<ExecResult>(const ExecRequest&)> answer);
    bool running(const std::string& pod_uid, const std::string& name) const;
    const std::vector<Spec>& file_operations() const;
    const std::vector<ContainerRequest>& started() const;
    const std::string& dns() const;
    std::vector<std::string> sandboxes() const;

    void on_exit(ExitHandler handler) override;
    std::string unenforced(std::string_view resource) const override;
    boost::asio::awaitable<Result<void>> files(Spec operations) override;
    boost::asio::awaitable<Result<void>> start_sandbox(SandboxRequest request) override;
    boost::asio::awaitable<Result<void>> start_container(ContainerRequest request) override;
    boost::asio::awaitable<Result<void>> stop_container(std::string pod_uid, std::string name,
                                                        Duration grace) override;
    boost::asio::awaitable<Result<ExecResult>> exec(ExecRequest request) override;
    boost::asio::awaitable<Result<int>> probe(ProbeRequest request) override;
    boost::asio::awaitable<Result<void>> remove_pod(std::string pod_uid) override;
    boost::asio::awaitable<Result<void>> set_dns(std::string table) override;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace shed
