// Making groups, setting their limits, removing them.
#include "fakes/cgroup/cgroup.hpp"
#include "fakes/cgroup/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace shed {

namespace {

using cgroup::has_word;
using cgroup::read_text;
using cgroup::words_of;
using cgroup::write_text;

constexpr const char* aside_name = "/trainshed-owner";

Result<void> make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST) return {};
    return Error{Reason::environment,
                 "cannot make the control group " + path + ": " + std::strerror(errno)};
}

// Lets the groups below `directory` use a controller of version 2.
Result<void> hand_down(const std::string& directory, const std::string& controller) {
    const std::string file = directory + "/cgroup.subtree_control";
    if (has_word(words_of(read_text(file)), controller)) return {};
    return write_text(file, "+" + controller);
}

// This process, and who else runs our program in `directory`, go to a group below it. That group
// stays until `directory` goes: we are in it.
void step_aside(const std::string& directory) {
    if (!make_directory(directory + aside_name)) return;
    for (const std::string& pid : words_of(read_text(directory + "/cgroup.procs")))
        static_cast<void>(write_text(directory + aside_name + "/cgroup.procs", pid));
}

struct Setting {
    std::string file, text;
    bool optional = false;  // the file may be missing, or an ancestor stricter
};

std::string number_or(const std::optional<std::int64_t>& number, const char* otherwise) {
    return number ? std::to_string(*number) : otherwise;
}

std::vector<Setting> settings_v1(const std::string& controller, const CgroupLimits& limits) {
    std::vector<Setting> settings;
    if (controller == "memory" && limits.memory_bytes) {
        settings.push_back({"memory.limit_in_bytes", std::to_string(*limits.memory_bytes)});
        // Or a pod over its limit would go to swap instead; missing where swap is not accounted
        // for.
        settings.push_back(
            {"memory.memsw.limit_in_bytes", std::to_string(*limits.memory_bytes), true});
    }
    if (controller == "cpu") {
        settings.push_back({"cpu.shares", std::to_string(limits.cpu_shares)});
        if (limits.cpu_quota_us) {
            settings.push_back({"cpu.cfs_period_us", std::to_string(cpu_period_us)});
            // Version 1 refuses more than an ancestor has, which then is the limit anyway.
            settings.push_back({"cpu.cfs_quota_us", std::to_string(*limits.cpu_quota_us), true});
        }
    }
    if (controller == "pids" && limits.pids)
        settings.push_back({"pids.max", std::to_string(*limits.pids)});
    return settings;
}

std::vector<Setting> settings_v2(const std::string& controller, const CgroupLimits& limits) {
    std::vector<Setting> settings;
    if (controller == "memory" && limits.memory_bytes) {
        settings.push_back({"memory.max", std::to_string(*limits.memory_bytes)});
        settings.push_back({"memory.swap.max", "0", true});  // the kubelet's NoSwap
    }
    if (controller == "memory" && limits.die_as_one)
        settings.push_back({"memory.oom.group", "1", true});
    if (controller == "cpu") {
        settings.push_back({"cpu.weight", std::to_string(cpu_weight_of(limits.cpu_shares))});
        settings.push_back({"cpu.max", number_or(limits.cpu_quota_us, "max") + " " +
                                           std::to_string(cpu_period_us)});
    }
    if (controller == "pids") settings.push_back({"pids.max", number_or(limits.pids, "max")});
    return settings;
}

}  // namespace

CgroupTree::CgroupTree(CgroupHost host, std::string cluster)
    : host_(std::move(host)), name_("/trainshed-" + std::move(cluster)) {
    gather();
}

void CgroupTree::gather() {
    hierarchies_.clear();
    for (const CgroupController& controller : host_.controllers) {
        if (!controller.usable()) continue;
        const std::string directory = controller.directory + name_;
        const auto known =
            std::find_if(hierarchies_.begin(), hierarchies_.end(),
                         [&](const Hierarchy& h) { return h.directory == directory; });
        if (known != hierarchies_.end()) known->controllers.push_back(controller.name);
        else hierarchies_.push_back({controller.version, directory, {controller.name}});
    }
}

const CgroupTree::Hierarchy* CgroupTree::hierarchy_of(std::string_view controller) const {
    for (const Hierarchy& hierarchy : hierarchies_)
        if (has_word(hierarchy.controllers, controller)) return &hierarchy;
    return nullptr;
}

std::vector<std::string> CgroupTree::directories() const {
    std::vector<std::string> directories;
    for (const Hierarchy& hierarchy : hierarchies_) directories.push_back(hierarchy.directory);
    return directories;
}

Result<void> CgroupTree::make_hierarchy(Hierarchy& hierarchy) {
    if (auto made = make_directory(hierarchy.directory); !made) return made;
    if (hierarchy.version != CgroupVersion::v2) return {};
    const std::string parent = hierarchy.directory.substr(0, hierarchy.directory.rfind('/'));
    for (CgroupController& controller : host_.controllers) {
        if (controller.directory != parent || controller.version != CgroupVersion::v2) continue;
        auto given = hand_down(parent, controller.name);
        if (given) given = hand_down(hierarchy.directory, controller.name);
        if (given) continue;
        controller.directory.clear();
        controller.why_not = given.error().message;
    }
    return {};
}

Result<void> CgroupTree::make() {
    if (host_.must_step_aside)
        for (const Hierarchy& hierarchy : hierarchies_)
            if (hierarchy.version == CgroupVersion::v2)
                step_aside(hierarchy.directory.substr(0, hierarchy.directory.rfind('/')));
    for (Hierarchy& hierarchy : hierarchies_) {
        const auto made = make_hierarchy(hierarchy);
        if (made) continue;
        for (CgroupController& controller : host_.controllers) {
            if (!has_word(hierarchy.controllers, controller.name)) continue;
            controller.directory.clear();
            controller.why_not = made.error().message;
        }
    }
    gather();
    return {};
}

Result<void> CgroupTree::make_group(const std::string& below, const CgroupLimits& limits,
                                    bool parent) {
    for (const Hierarchy& hierarchy : hierarchies_) {
        const std::string directory = hierarchy.directory + below;
        if (auto made = make_directory(directory); !made) return made;
        for (const std::string& controller : hierarchy.controllers) {
            const bool second = hierarchy.version == CgroupVersion::v2;
            if (second && parent)
                if (auto given = hand_down(directory, controller); !given) return given;
            for (const Setting& setting :
                 second ? settings_v2(controller, limits) : settings_v1(controller, limits)) {
                const auto set = write_text(directory + "/" + setting.file, setting.text);
                if (!set && !setting.optional) return set;
            }
        }
    }
    return {};
}

Result<void> CgroupTree::make_pod(const std::string& pod, const CgroupLimits& limits) {
    return make_group("/" + pod, limits, true);
}

Result<void> CgroupTree::make_container(const std::string& pod, const std::string& container,
                                        const CgroupLimits& limits) {
    return make_group("/" + pod + "/" + container, limits, false);
}

std::vector<int> CgroupTree::open_container(const std::string& pod,
                                            const std::string& container) const {
    std::vector<int> descriptors;
    for (const Hierarchy& hierarchy : hierarchies_) {
        const std::string file =
            hierarchy.directory + "/" + pod + "/" + container + "/cgroup.procs";
        const int descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
        if (descriptor >= 0) descriptors.push_back(descriptor);
    }
    return descriptors;
}

void CgroupTree::remove_container(const std::string& pod, const std::string& container) {
    for (const Hierarchy& hierarchy : hierarchies_)
        cgroup::remove_groups(hierarchy.directory + "/" + pod + "/" + container);
}

void CgroupTree::remove_pod(const std::string& pod) {
    for (const Hierarchy& hierarchy : hierarchies_)
        cgroup::remove_groups(hierarchy.directory + "/" + pod);
}

void CgroupTree::remove() {
    for (const Hierarchy& hierarchy : hierarchies_) cgroup::remove_groups(hierarchy.directory);
}

}  // namespace shed
