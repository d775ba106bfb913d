#pragma once
// A container's first process: builds the root, starts the main process, writes its log, reaps, and ends everything in
// the container when the main process has ended.
#include "fakes/podinit/spec.hpp"

namespace shed::podinit {

enum class PidSharing { none, pod, cluster };

struct ContainerStart {
    std::vector<Record> records;
    std::string mount_point;  // an empty directory to build the root on
    int sandbox = 0;          // process that holds the pod's namespaces
    bool single = false;
    PidSharing pids = PidSharing::none;
    int shared_memory = -1;        // the pod's /dev/shm, O_PATH
    std::vector<int> shared = {};  // the holder's shared mounts
    std::vector<int> inputs = {};  // of other containers, which are not this one's
    std::vector<int> groups = {};  // open cgroup.procs of the control groups to run in
};

// Joins the sandbox's namespaces and forks the container's first process. Returns its pid, or 0 and `error`.
// `input`: where its standard input comes from, or its terminal, when it has one; else -1. The caller owns it.
int start_container(const ContainerStart& start, int& input, std::string& error);

// Runs a command in the container whose first process is `container`, with these three descriptors,
// in these control groups. Its pid, or 0.
int start_exec(const std::vector<Record>& records, int container, const int descriptors[3],
               const std::vector<int>& groups, bool single, std::string& error);

// The same with streams made for it, as the records stdin, stdout, stderr, tty say; `ends` are the other ends. A program
// that cannot be started is an error, in a container runtime's words.
int start_stream(const std::vector<Record>& records, int container, const std::vector<int>& groups, bool single,
                 std::vector<int>& ends, std::string& error);

// A TCP socket in the network namespace of `process`, connecting to the loopback address there: of IPv6 or IPv4. -1 and
// `error` when it cannot be made; a refusal shows on the socket.
int dial_loopback(int process, int port, bool ipv6, std::string& error);

}  // namespace shed::podinit
