#pragma once
// A container's first process: builds the root, starts the main process, writes its log, reaps, and ends everything in
// the container when the main process has ended.
#include "fakes/podinit/spec.hpp"

namespace shed::podinit {

struct ContainerStart {
    std::vector<Record> records;
    std::string mount_point;  // an empty directory to build the root on
    int sandbox = 0;          // process that holds the pod's namespaces
    bool single = false;
    std::vector<int> shared = {};  // the holder's shared mounts
    std::vector<int> groups = {};  // open cgroup.procs of the control groups to run in
};

// Joins the sandbox's namespaces and forks the container's first process. Returns its pid, or 0 and `error`.
int start_container(const ContainerStart& start, std::string& error);

// Runs a command in the container whose first process is `container`, with these three descriptors,
// in these control groups. Its pid, or 0.
int start_exec(const std::vector<Record>& records, int container, const int descriptors[3],
               const std::vector<int>& groups, bool single, std::string& error);

}  // namespace shed::podinit
