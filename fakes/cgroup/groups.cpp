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
        const std::string bytes = std::to_string(*limits.memory_bytes);
        settings.push_back({"memory.limit_in_bytes", bytes});
        // Or a pod over its limit would go to swap instead; missing where swap is not accounted
        // for.
        settings.push_back({"memory.memsw.limit_in_bytes", bytes, true});
    }
    if (controller == "cpu") settings.push_back({"cpu.shares", std::to_string(limits.cpu_shares)});
    if (controller == "cpu" && limits.cpu_quota_us) {
        settings.push_back({"cpu.cfs_period_us", std::to_string(cpu_period_us)});
        // Version 1 refuses more than an ancestor has, which then is the limit anyway.
        settings.push_back({"cpu.cfs_quota_us", std::to_string(*limits.cpu_quota_us), true});
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
        const std::string period = " " + std::to_string(cpu_period_us);
        settings.push_back({"cpu.weight", std::to_string(cpu_weight_of(limits.cpu_shares))});
        settings.push_back({"cpu.max", number_or(limits.cpu_quota_us, "max") + period});
    }
    if (controller == "pids") settings.push_back({"pids.max", number_or(limits.pids, "max")});
    return settings;
}

Result<void> apply(const std::string& directory, CgroupVersion version,
                   const std::string& controller, const CgroupLimits& limits) {
    const bool second = version == CgroupVersion::v2;
    for (const Setting& setting :
         second ? settings_v2(controller, limits) : settings_v1(controller, limits)) {
        const auto set = write_text(directory + "/" + setting.file, setting.text);
        if (!set && !setting.optional) return set;
    }
    return {};
}

std::string parent_of(const std::string& directory) {
    return directory.substr(0, directory.rfind('/'));
}

// Below the cluster's group in version 2, where one tree serves all controllers: pods whose cpu is
// limited are in groups for it, all others in none.
constexpr const char* limited = "/limited";
constexpr const char* unlimited = "/unlimited";

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

void CgroupTree::give_up(const std::string& controller, const std::string& why) {
    for (CgroupController& candidate : host_.controllers) {
        if (candidate.name != controller) continue;
        candidate.directory.clear();
        candidate.why_not = why;
    }
}

std::vector<std::string> CgroupTree::controllers_in(const Hierarchy& hierarchy,
                                                    bool own_cpu) const {
    std::vector<std::string> names;
    for (const std::string& name : hierarchy.controllers)
        if (name != "cpu" || own_cpu) names.push_back(name);
    return names;
}

void CgroupTree::make_hierarchy(const Hierarchy& hierarchy) {
    if (const auto made = make_directory(hierarchy.directory); !made) {
        for (const std::string& name : hierarchy.controllers) give_up(name, made.error().message);
        return;
    }
    if (hierarchy.version != CgroupVersion::v2) return;
    const std::string parent = parent_of(hierarchy.directory),
                      pods = hierarchy.directory + unlimited;
    static_cast<void>(make_directory(pods));
    for (const std::string& name : controllers_in(hierarchy, false)) {
        auto given = hand_down(parent, name);
        if (given) given = hand_down(hierarchy.directory, name);
        if (given) given = hand_down(pods, name);
        if (!given) give_up(name, given.error().message);
    }
}

void CgroupTree::make() {
    if (host_.must_step_aside)
        for (const Hierarchy& hierarchy : hierarchies_)
            if (hierarchy.version == CgroupVersion::v2) step_aside(parent_of(hierarchy.directory));
    for (const Hierarchy& hierarchy : hierarchies_) make_hierarchy(hierarchy);
    gather();
}

// Only once somebody is limited: until then the machine's scheduling stays as it is.
void CgroupTree::begin_cpu_groups() {
    const Hierarchy* hierarchy = hierarchy_of("cpu");
    if (hierarchy == nullptr) return;
    CgroupLimits whole;  // among its siblings the cluster counts as one process on each core would
    whole.cpu_shares = cpu_shares_of(1000 * ::sysconf(_SC_NPROCESSORS_ONLN));
    Result<void> done;
    if (hierarchy->version == CgroupVersion::v2) {
        const std::string pods = hierarchy->directory + limited;
        done = make_directory(pods);
        for (const std::string& name : hierarchy->controllers) {
            if (done) done = hand_down(parent_of(hierarchy->directory), name);
            if (done) done = hand_down(hierarchy->directory, name);
            if (done) done = hand_down(pods, name);
        }
    }
    if (done) done = apply(hierarchy->directory, hierarchy->version, "cpu", whole);
    if (done) return;
    give_up("cpu", done.error().message);
    gather();
}

std::string CgroupTree::directory_of(const Hierarchy& hierarchy, const std::string& pod,
                                     const std::string& container) const {
    const auto known = own_cpu_.find(pod);
    const bool has_cpu = has_word(hierarchy.controllers, "cpu");
    const bool own_cpu = has_cpu && known != own_cpu_.end() && known->second;
    std::string directory = hierarchy.directory;
    if (hierarchy.version == CgroupVersion::v2) directory += own_cpu ? limited : unlimited;
    else if (has_cpu && !own_cpu) return "";
    directory += "/" + pod;
    return container.empty() ? directory : directory + "/" + container;
}

Result<void> CgroupTree::make_group(const std::string& pod, const std::string& container,
                                    const CgroupLimits& limits) {
    for (const Hierarchy& hierarchy : hierarchies_) {
        const std::string directory = directory_of(hierarchy, pod, container);
        if (directory.empty()) continue;
        if (auto made = make_directory(directory); !made) return made;
        for (const std::string& name : controllers_in(hierarchy, own_cpu_[pod])) {
            Result<void> done;
            if (hierarchy.version == CgroupVersion::v2 && container.empty())
                done = hand_down(directory, name);
            if (done) done = apply(directory, hierarchy.version, name, limits);
            if (!done) return done;
        }
    }
    return {};
}

Result<void> CgroupTree::make_pod(const std::string& pod, const CgroupLimits& limits) {
    if (limits.own_cpu) begin_cpu_groups();
    own_cpu_[pod] = limits.own_cpu && hierarchy_of("cpu") != nullptr;
    return make_group(pod, "", limits);
}

Result<void> CgroupTree::make_container(const std::string& pod, const std::string& container,
                                        const CgroupLimits& limits) {
    return make_group(pod, container, limits);
}

std::vector<int> CgroupTree::open_container(const std::string& pod,
                                            const std::string& container) const {
    std::vector<int> descriptors;
    for (const Hierarchy& hierarchy : hierarchies_) {
        const std::string directory = directory_of(hierarchy, pod, container);
        if (directory.empty()) continue;
        const int descriptor = ::open((directory + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
        if (descriptor >= 0) descriptors.push_back(descriptor);
    }
    return descriptors;
}

void CgroupTree::remove_container(const std::string& pod, const std::string& container) {
    for (const Hierarchy& hierarchy : hierarchies_)
        if (const auto at = directory_of(hierarchy, pod, container); !at.empty())
            cgroup::remove_groups(at);
}

void CgroupTree::remove_pod(const std::string& pod) {
    for (const Hierarchy& hierarchy : hierarchies_)
        if (const auto at = directory_of(hierarchy, pod); !at.empty()) cgroup::remove_groups(at);
    own_cpu_.erase(pod);
}

void CgroupTree::remove() {
    for (const Hierarchy& hierarchy : hierarchies_) cgroup::remove_groups(hierarchy.directory);
}

}  // namespace shed
