#pragma once
// Where a cluster keeps its things, and who owns them. One directory per cluster name:
//   DIR/cluster.json   pid, server address, start time, options; written last, so that its presence means ready
//   DIR/kubeconfig     0600
//   DIR/owner.lock     held by flock while the owner lives: a free lock means a stale directory
//   DIR/log            stderr of a detached owner
//   DIR/node           the pods' files, given to podinit, which removes them
//   DIR/store.db       the state of a detached cluster: while it is there, the directory stays, whoever owned it
//   DIR/ending         made by `trainshed down`, so that the owner removes the state, too
// As root below /var/lib/trainshed/clusters, else below $XDG_STATE_HOME/trainshed/clusters. Nobody else may pass DIR but,
// as root, the pods' root; what another user has put at DIR or at one of these names is refused or replaced, never used.
#include "fakes/base/result.hpp"

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

namespace shed {

struct ClusterPaths {
    std::string name;
    std::string directory, cluster_file, kubeconfig, lock, log, node, store, ending;
};

std::string clusters_directory();
// Errors: bad_request for a name that is no DNS label.
Result<ClusterPaths> paths_of(const std::string& name);
// Of a cluster for this process alone: the name that was asked for, or PREFIX-PID, so that two do not get in each
// other's way.
Result<ClusterPaths> own_paths(const std::string& name, const std::string& prefix);

// Holding it means owning the cluster's directory; released when destroyed or when the process dies.
class OwnerLock {
public:
    // Makes the directory. Error conflict when another process owns it, naming its pid.
    static Result<OwnerLock> take(const ClusterPaths& paths);
    // The lock that a parent took and left in `descriptor`.
    static OwnerLock inherited(int descriptor);
    static bool held_by_other(const ClusterPaths& paths);
    OwnerLock(OwnerLock&& other) noexcept;
    OwnerLock& operator=(OwnerLock&& other) noexcept;
    ~OwnerLock();
    int descriptor() const { return descriptor_; }

private:
    explicit OwnerLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

// The process that owns a running cluster: the one whose id cluster.json names, if that process holds the cluster's lock.
// The id alone may have become another process's, after a crash or a restart of the machine.
class OwnerProcess {
public:
    static std::optional<OwnerProcess> find(const ClusterPaths& paths);
    OwnerProcess(OwnerProcess&& other) noexcept;
    ~OwnerProcess();
    int pid() const { return pid_; }
    bool signal(int number) const;  // never hits another process, even if this one has ended
    bool ended() const;             // also when nobody has waited for it yet

private:
    OwnerProcess(int pid, int descriptor) : pid_(pid), descriptor_(descriptor) {}
    int pid_, descriptor_;  // a pidfd
};

// The log of a detached cluster, new and empty, whatever was there before.
Result<int> open_log(const ClusterPaths& paths);
// cluster.json of a running cluster; not_found with a hint when there is none.
Result<nlohmann::json> read_cluster(const ClusterPaths& paths);
Result<void> write_file(const std::string& path, const std::string& content, unsigned mode);
Result<std::string> read_file(const std::string& path);
std::string first_line(const std::string& path);  // of a file of the kernel's; empty when it is not there
std::vector<std::string> cluster_names();
// Removes a cluster's node directory, by podinit where it holds files of mapped ids.
void remove_node(const ClusterPaths& paths, const std::string& podinit);
// True when the cluster's directory has state to go on with.
bool has_state(const ClusterPaths& paths);
// Removes directories whose owner is gone, but for those with state, of which only the pods' files go. Returns what it
// removed.
std::vector<std::string> sweep_stale(const std::string& podinit);
// Removes a directory with state that nobody owns; false when somebody does.
bool remove_state(const ClusterPaths& paths, const std::string& podinit);
// The program beside ours ("podinit"), or in ../libexec/trainshed of an installation.
std::string beside_us(const std::string& program);
// Shipped data ("images.yaml"): ../share/trainshed of an installation, or the source tree's share/.
std::string shared_file(const std::string& name);

}  // namespace shed
