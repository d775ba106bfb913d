#pragma once
// What stays of a pod after the cluster has forgotten it: its last state and its logs, of the last
// so many pods. A job that gives up deletes its pods, and with them the reason why it gave up.
#include "fakes/base/time.hpp"
#include "fakes/kube/kube.hpp"

#include <deque>

namespace shed {

// One run of a container. `number` counts from 0, as restartCount does.
struct Attempt {
    std::string container;
    int number = 0;
    bool ended = false;
    int code = 0;  // as Kubernetes counts: 128 + N for signal N
    int signal = 0;
    Time started{}, finished{};  // zero while it runs
};

// Reads what podinit wrote when a container's main process ended; false while there is no such file.
bool read_exit_file(const std::string& path, Attempt& attempt);

// Where the logs of this pod are: in its directory, or where they were put when it went.
std::string logs_directory(const std::string& node_directory, const std::string& pod_uid);
std::string kept_logs_directory(const std::string& node_directory, const std::string& pod_uid);

// Every run of every container of a pod, in the order of their ends; those that still run last.
std::vector<Attempt> attempts_of(const std::string& node_directory, const std::string& pod_uid);

// The pods that are gone, oldest first.
class PodHistory {
public:
    static constexpr std::size_t pods_max = 256;
    // Takes a pod as it was last; returns the uids that have to make room: their logs can go.
    std::vector<std::string> add(ObjectPtr pod);
    const std::deque<ObjectPtr>& pods() const { return pods_; }

private:
    std::deque<ObjectPtr> pods_;
};

}  // namespace shed
