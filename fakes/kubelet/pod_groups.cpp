#include "fakes/kubelet/pod_groups.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <optional>
#include <utility>

namespace shed::kubelet {

namespace {

bool kernel_counts_processes() {
    struct utsname host = {};
    return ::uname(&host) == 0 && counts_processes_by_namespace(host.release);
}

// podinit's holder is PID 1 of the cluster's PID namespace, and a grandchild of the keeper.
int find_holder(const ProcessTable& processes, int keeper) {
    for (const int child : processes.children(keeper))
        for (const int grandchild : processes.children(child))
            if (processes.pid_within(grandchild, 1) == 1) return grandchild;
    return 0;
}

// A container's processes are those below its first one, which is podinit's and counts only for the
// time that its dead children took.
CgroupUsage usage_below(const ProcessTable& processes, int holder, int pid) {
    for (const int first : processes.children(holder)) {
        if (processes.pid_within(first, 1) != pid) continue;
        CgroupUsage used = processes.usage(first);
        used.memory_bytes = 0;
        for (const int child : processes.children(first))
            *used.memory_bytes += processes.usage(child).memory_bytes.value_or(0);
        return used;
    }
    return {};
}

}  // namespace

OpenGroups& OpenGroups::operator=(OpenGroups&& other) noexcept {
    std::swap(descriptors_, other.descriptors_);
    return *this;
}

OpenGroups::~OpenGroups() {
    for (const int descriptor : descriptors_) ::close(descriptor);
}

std::string PodGroups::unenforced(std::string_view resource) const {
    if (tree_ == nullptr) return "this cluster makes no control groups";
    return tree_->host().find(resource).why_not;
}

Result<void> PodGroups::add_pod(const SandboxRequest& request) {
    const bool counted = tree_ != nullptr && tree_->limits("pids");
    if (!counted && request.limits.pids && kernel_counts_processes())
        process_limits_[request.pod_uid] = *request.limits.pids;
    return tree_ == nullptr ? Result<void>() : tree_->make_pod(request.pod_uid, request.limits);
}

Result<OpenGroups> PodGroups::add_container(ContainerRequest& request) {
    Container container;
    // Each attempt has a group of its own: what its predecessor ran out of is not its fault.
    container.group = request.name + "." + std::to_string(request.attempt);
    if (tree_ != nullptr) {
        auto made = tree_->make_container(request.pod_uid, container.group, request.limits);
        if (!made) return made.error();
    }
    if (const auto limit = process_limits_.find(request.pod_uid); limit != process_limits_.end()) {
        const std::string most = std::to_string(limit->second);
        request.spec.push_back(SpecRecord(std::initializer_list<std::string>{"processes", most}));
    }
    containers_[{request.pod_uid, request.name}] = container;
    return open(request.pod_uid, request.name);
}

void PodGroups::started(const ContainerRequest& request, int pid) {
    const auto container = containers_.find({request.pod_uid, request.name});
    if (container == containers_.end()) return;
    container->second.pid = pid;
    container->second.started = std::chrono::steady_clock::now();
}

OpenGroups PodGroups::open(const std::string& pod_uid, const std::string& container) const {
    const auto known = containers_.find({pod_uid, container});
    if (tree_ == nullptr || known == containers_.end()) return OpenGroups();
    return OpenGroups(tree_->open_container(pod_uid, known->second.group));
}

bool PodGroups::ended(const std::string& pod_uid, const std::string& container) {
    const auto known = containers_.find({pod_uid, container});
    if (known == containers_.end()) return false;
    const std::string group = known->second.group;
    containers_.erase(known);
    if (tree_ == nullptr) return false;
    const bool out_of_memory = tree_->oom_killed(pod_uid, group);
    tree_->remove_container(pod_uid, group);
    return out_of_memory;
}

void PodGroups::remove_pod(const std::string& pod_uid) {
    std::erase_if(containers_, [&](const auto& known) { return known.first.first == pod_uid; });
    process_limits_.erase(pod_uid);
    if (tree_ != nullptr) tree_->remove_pod(pod_uid);
}

std::vector<ContainerReading> PodGroups::read(int keeper) const {
    std::vector<ContainerReading> readings;
    std::optional<ProcessTable> processes;
    int holder = 0;
    for (const auto& [key, container] : containers_) {
        if (container.pid == 0) continue;
        ContainerReading reading;
        reading.pod_uid = key.first;
        reading.container = key.second;
        reading.started = container.started;
        if (tree_ != nullptr) reading.used = tree_->usage(key.first, container.group);
        if (!reading.used.cpu_ns || !reading.used.memory_bytes) {
            if (!processes) {
                processes = ProcessTable::read();
                holder = find_holder(*processes, keeper);
            }
            const CgroupUsage seen = usage_below(*processes, holder, container.pid);
            if (!reading.used.cpu_ns) reading.used.cpu_ns = seen.cpu_ns;
            if (!reading.used.memory_bytes) reading.used.memory_bytes = seen.memory_bytes;
        }
        readings.push_back(std::move(reading));
    }
    return readings;
}

}  // namespace shed::kubelet
