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

std::optional<CgroupUsage> CgroupTree::usage(const std::string& pod,
                                             const std::string& container) const {
    const std::string below = "/" + pod + "/" + container;
    CgroupUsage used;
    const Hierarchy* memory = hierarchy_of("memory");
    if (memory == nullptr) return std::nullopt;
    const auto bytes = working_set(memory->directory + below, memory->version);
    std::optional<std::int64_t> cpu;
    if (const Hierarchy* counted = hierarchy_of("cpuacct"))
        cpu = number_of(read_text(counted->directory + below + "/cpuacct.usage"));
    // Every group of version 2 counts it, whichever controllers it has.
    for (const Hierarchy& hierarchy : hierarchies_) {
        if (cpu || hierarchy.version != CgroupVersion::v2) continue;
        if (const auto us =
                field_of(read_text(hierarchy.directory + below + "/cpu.stat"), "usage_usec"))
            cpu = *us * 1000;
    }
    if (!bytes || !cpu) return std::nullopt;
    used.memory_bytes = *bytes;
    used.cpu_ns = *cpu;
    return used;
}

bool CgroupTree::oom_killed(const std::string& pod, const std::string& container) const {
    const Hierarchy* memory = hierarchy_of("memory");
    if (memory == nullptr) return false;
    const char* file =
        memory->version == CgroupVersion::v2 ? "/memory.events" : "/memory.oom_control";
    return field_of(read_text(memory->directory + "/" + pod + "/" + container + file), "oom_kill")
               .value_or(0) > 0;
}

}  // namespace shed
