#pragma once
// Control groups for the pods of one cluster: what this machine's kernel can hold a pod to (cgroup
// version 1, version 2 or both side by side, each controller by itself), groups with limits, and
// what is used in them. Where there is no group, usage is read from /proc. Knows nothing of
// Kubernetes objects; never moves a process that is not ours.
#include "fakes/base/result.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace shed {

// ---- what this machine has

enum class CgroupVersion { none, v1, v2 };

// One controller: memory, cpu, pids, and cpuacct, which counts cpu time where version 1 does.
struct CgroupController {
    std::string name;
    CgroupVersion version = CgroupVersion::none;
    std::string directory =
        {};  // the group in which a cluster makes its own; empty: none can be made
    std::string why_not =
        {};  // empty: groups can be made; else why they cannot, for `doctor` and events
    bool usable() const { return !directory.empty(); }
};

struct CgroupHost {
    std::string root;  // before every path below: tests put a tree of files of their own there
    std::vector<CgroupController> controllers;
    // Version 2 lets no process be in a group that hands controllers down: before that, this
    // process and those that run the same program move from the group `directory` of version 2 to
    // one below it.
    bool must_step_aside = false;
    std::string layout;  // "v1", "v2", "hybrid" or "none"
    const CgroupController& find(std::string_view name) const;
};

// `may_write`: whether this process may write there; by default the kernel is asked.
CgroupHost detect_cgroups(const std::string& root = "",
                          std::function<bool(const std::string& path)> may_write = {});

// ---- limits, as the kubelet computes them (pkg/kubelet/cm/helpers_linux.go of Kubernetes v1.36)

inline constexpr std::int64_t cpu_period_us = 100'000;

struct CgroupLimits {
    // Cpu groups are for those who are limited only. Nodes advertise more cores than there are:
    // shares by request would starve, on two cores, a pod that on a node of 64 has one to itself.
    bool own_cpu = false;
    std::int64_t cpu_shares = 2;
    std::optional<std::int64_t> cpu_quota_us = {};  // in each cpu_period_us
    std::optional<std::int64_t> memory_bytes = {};
    std::optional<std::int64_t> pids = {};
    // memory.oom.group: a container dies as one, not process by process. Version 2 only.
    bool die_as_one = false;
    bool operator==(const CgroupLimits&) const = default;
};

std::int64_t cpu_shares_of(std::int64_t milli_cpu);  // MilliCPUToShares: 2 to 262144
std::int64_t cpu_quota_of(std::int64_t milli_cpu);   // MilliCPUToQuota: microseconds, at least 1 ms
// ConvertCPUSharesToCgroupV2Value of opencontainers/cgroups v0.0.5: 1 to 10000, 1024 shares are
// 100.
std::int64_t cpu_weight_of(std::int64_t cpu_shares);

// ---- groups

struct CgroupUsage {
    std::optional<std::int64_t> cpu_ns = {};  // since the group was made
    // The working set: what is in use without the inactive part of the page cache.
    std::optional<std::int64_t> memory_bytes = {};
    bool operator==(const CgroupUsage&) const = default;
};

// The groups of one cluster: its own, one per pod in it, one per container in those. Nothing is
// made in the constructor. Groups end with remove(), or by whoever has written down directories().
class CgroupTree {
public:
    CgroupTree(CgroupHost host, std::string cluster);

    const CgroupHost& host() const { return host_; }
    // Where the cluster's groups are going to be, one per hierarchy; empty when none can be.
    std::vector<std::string> directories() const;
    void make();  // a controller that refuses is given up, with the reason in host()
    bool limits(std::string_view controller) const { return host_.find(controller).usable(); }

    // The pod's `own_cpu` holds for its containers.
    Result<void> make_pod(const std::string& pod, const CgroupLimits& limits);
    Result<void> make_container(const std::string& pod, const std::string& container,
                                const CgroupLimits& limits);
    // Open for writing: a process that writes "0" to all of them is in the container's groups. The
    // kernel judges by who opened them (Linux 5.16 and the stable series since), so that a pod's
    // processes need no right of their own.
    std::vector<int> open_container(const std::string& pod, const std::string& container) const;
    CgroupUsage usage(const std::string& pod, const std::string& container) const;
    // Whether anything in it ever was.
    bool oom_killed(const std::string& pod, const std::string& container) const;
    void remove_container(const std::string& pod, const std::string& container);
    void remove_pod(const std::string& pod);
    void remove();

private:
    struct Hierarchy {
        CgroupVersion version;
        std::string directory;  // the cluster's group
        std::vector<std::string> controllers;
    };
    void gather();
    void give_up(const std::string& controller, const std::string& why);
    void make_hierarchy(const Hierarchy& hierarchy);
    void begin_cpu_groups();
    const Hierarchy* hierarchy_of(std::string_view controller) const;
    std::vector<std::string> controllers_in(const Hierarchy& hierarchy, bool own_cpu) const;
    std::string directory_of(const Hierarchy& hierarchy, const std::string& pod,
                             const std::string& container = "") const;
    Result<void> make_group(const std::string& pod, const std::string& container,
                            const CgroupLimits& limits);

    CgroupHost host_;
    std::string name_;
    std::vector<Hierarchy> hierarchies_;
    std::map<std::string, bool> own_cpu_;  // by pod
};

// ---- without groups

// A reading of /proc, shared by all who want to know at the same time. Memory is the sum of
// resident sets: pages that processes share count for each. Cpu time has the kernel's clock ticks;
// children count once they were waited for.
class ProcessTable {
public:
    static ProcessTable read(const std::string& root = "");
    // The process and all its descendants.
    CgroupUsage usage(int pid) const;
    std::vector<int> children(int pid) const;
    // How it is called in the PID namespace `depth` levels below ours; 0 when it is in none.
    int pid_within(int pid, std::size_t depth) const;

private:
    struct Process {
        std::int64_t cpu_ns = 0, memory_bytes = 0;
    };
    std::string root_;
    std::map<int, Process> processes_;
    std::multimap<int, int> children_;
};

// Whether the kernel counts RLIMIT_NPROC in each user namespace by itself (Linux 5.14), by its
// release ("6.1.0-18").
bool counts_processes_by_namespace(std::string_view release);

}  // namespace shed
