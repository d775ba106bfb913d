// What groups count.
#include "fakes/cgroup/cgroup.hpp"
#include "fakes/cgroup/files.hpp"

#include <algorithm>

namespace shed {

using cgroup::field_of;
using cgroup::number_of;
using cgroup::read_text;

namespace {

// The working set as cAdvisor has it, which is what `kubectl top` shows on a real cluster.
std::optional<std::int64_t> working_set(const std::string& directory, CgroupVersion version) {
    const bool second = version == CgroupVersion::v2;
    const auto in_use =
        number_of(read_text(directory + (second ? "/memory.current" : "/memory.usage_in_bytes")));
    if (!in_use) return std::nullopt;
    const auto inactive = field_of(read_text(directory + "/memory.stat"),
                                   second ? "inactive_file" : "total_inactive_file");
    return std::max<std::int64_t>(0, *in_use - inactive.value_or(0));
}

}  // namespace

CgroupUsage CgroupTree::usage(const std::string& pod, const std::string& container) const {
    CgroupUsage used;
    for (const Hierarchy& hierarchy : hierarchies_) {
        const std::string directory = directory_of(hierarchy, pod, container);
        if (directory.empty()) continue;
        const auto counts = [&](std::string_view controller) {
            return cgroup::has_word(hierarchy.controllers, controller);
        };
        if (counts("memory")) used.memory_bytes = working_set(directory, hierarchy.version);
        if (counts("cpuacct")) used.cpu_ns = number_of(read_text(directory + "/cpuacct.usage"));
        // Every group of version 2 counts it, whichever controllers it has.
        if (hierarchy.version != CgroupVersion::v2 || used.cpu_ns) continue;
        const auto us = field_of(read_text(directory + "/cpu.stat"), "usage_usec");
        if (us) used.cpu_ns = *us * 1000;
    }
    return used;
}

bool CgroupTree::oom_killed(const std::string& pod, const std::string& container) const {
    const Hierarchy* memory = hierarchy_of("memory");
    if (memory == nullptr) return false;
    const bool second = memory->version == CgroupVersion::v2;
    const std::string events = read_text(directory_of(*memory, pod, container) +
                                         (second ? "/memory.events" : "/memory.oom_control"));
    return field_of(events, "oom_kill").value_or(0) > 0;
}

}  // namespace shed
