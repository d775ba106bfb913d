#pragma once
// A cluster with its directory, lock, kubeconfig and signals: what `up` and `run` share.
#include "simulator/cluster.hpp"
#include "simulator/commands.hpp"
#include "simulator/paths.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <optional>

namespace shed {

// Of a program that a signal has ended, as shells have it: 130 after Ctrl-C.
inline int exit_by_signal(int number) { return 128 + number; }

class OwnedCluster {
public:
    OwnedCluster(const UpOptions& options, ClusterPaths paths, std::vector<HostMount> mounts);
    ~OwnedCluster();

    // Sweeps stale directories, takes the lock, starts everything, writes kubeconfig and cluster.json.
    // A signal during the start ends it with an error of reason timeout and `interrupted()` set.
    Result<ClusterFacts> start(Cluster::Progress progress);
    int wait_for_signal();   // runs the cluster until SIGINT, SIGTERM or SIGHUP
    // Runs the cluster until `task` ends or a signal comes; false when it was a signal.
    bool run(boost::asio::awaitable<void> task);
    void stop();             // a second signal meanwhile ends the process at once
    int signal_number() const { return signal_; }
    Cluster& cluster() { return *cluster_; }
    boost::asio::io_context& io() { return io_; }

private:
    void arm_signals();
    // Runs `task` until it ends; a signal cancels it and lets it unwind. False when it was a signal.
    bool run_to_end(boost::asio::awaitable<void> task);
    void settle();  // lets what was cancelled unwind while what it refers to is still there
    Result<void> publish(const ClusterFacts& facts);

    UpOptions options_;
    ClusterPaths paths_;
    std::vector<HostMount> mounts_;
    boost::asio::io_context io_{1};
    boost::asio::signal_set signals_;
    std::optional<OwnerLock> lock_;
    std::unique_ptr<Cluster> cluster_;
    boost::asio::cancellation_signal cancel_;
    int signal_ = 0;
    bool ending_ = false;
    bool keeps_state_ = false;  // the directory has state that a later cluster goes on with
};

}  // namespace shed
