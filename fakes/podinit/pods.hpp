#pragma once
// The holder's pods: sandboxes and the containers in them.
#include "fakes/podinit/container.hpp"
#include "fakes/podinit/util.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace shed::podinit {

class Pods {
public:
    using Tell = std::function<void(const std::string& event)>;
    // `shared`: O_PATH descriptors of what `shared` records of containers name by number.
    Pods(std::string directory, bool single, std::vector<int> shared, Tell tell)
        : mount_point_(directory + "/.root"), memory_(directory + "/.shm"), single_(single), shared_(static_cast<std::vector<int>&&>(shared)),
          tell_(static_cast<Tell&&>(tell)) {}

    // Each returns the reply's words after `ok`, or sets `error`.
    std::string sandbox(const std::string& uid, const std::string& spec, std::string& error);
    // `groups`: descriptors of cgroup.procs, which stay the caller's.
    std::string container(const std::string& uid, const std::string& name, int attempt, const std::string& spec,
                          const std::vector<int>& groups, std::string& error);
    std::string exec(const std::string& uid, const std::string& name, const std::string& id, const std::string& spec,
                     const int descriptors[3], const std::vector<int>& groups, std::string& error);
    // Kills a command that exec() or stream() started, and what is in its session; none: nothing happens.
    void end_exec(const std::string& uid, const std::string& id) const;
    // As exec, on streams made for the command; `ends` are the kubelet's.
    std::string stream(const std::string& uid, const std::string& name, const std::string& id, const std::string& spec,
                       const std::vector<int>& groups, std::vector<int>& ends, std::string& error);
    // A copy of the container's input or terminal; -1 and `error` when it has none, or no longer.
    int input(const std::string& uid, const std::string& name, std::string& error);
    void end_input(const std::string& uid, const std::string& name, std::string& error);
    // A socket connecting to the pod's own loopback; -1 and `error`.
    int dial(const std::string& uid, int port, bool ipv6, std::string& error) const;
    void signal(const std::string& uid, const std::string& name, int number, std::string& error);
    void stop(const std::string& uid, const std::string& name, std::int64_t grace_milliseconds, std::string& error);
    void remove(const std::string& uid) { remove(uid, false); }

    void reaped(int pid, int status);  // a child of the holder has ended
    void stop_all();                   // SIGTERM to every container
    bool any_container() const;
    std::optional<std::int64_t> next_deadline() const;  // steady milliseconds
    void kill_overdue();

private:
    struct Container {
        int pid = 0, attempt = 0;
        std::int64_t started = 0, kill_at = 0;
        std::string exit_path;
        ino_t members = 0;  // its mount namespace, where it does not have a PID namespace of its own
        std::shared_ptr<Descriptor> input = {};  // of those that have one, or a terminal
    };
    struct Pod {
        int pid = 0;
        PidSharing pids = PidSharing::none;
        std::string memory = {};  // where its /dev/shm is mounted
        std::map<std::string, Container> containers;
    };
    struct Exec {
        std::string uid, id;
    };
    void remove(const std::string& uid, bool lost);
    Container* find(const std::string& uid, const std::string& name, std::string& error);
    std::string share_memory(Pod& pod, const std::string& uid) const;
    void kill(const Container& container) const;
    void report_exit(const std::string& uid, const std::string& name, const Container& container, bool killed);

    std::string mount_point_, memory_;
    bool single_;
    std::vector<int> shared_;
    Tell tell_;
    std::map<std::string, Pod> pods_;
    std::map<int, Exec> execs_;
    unsigned long links_ = 0;
};

}  // namespace shed::podinit
