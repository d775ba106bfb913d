#pragma once
// The control groups of a runtime's pods: which container is in which, what it used, whether memory
// ran out in it. Without groups, or where one counts nothing, /proc is read instead.
#include "fakes/kubelet/runtime.hpp"

#include <map>
#include <memory>

namespace shed::kubelet {

// Descriptors that are closed in the end; podinit gets copies.
class OpenGroups {
public:
    explicit OpenGroups(std::vector<int> descriptors = {}) : descriptors_(std::move(descriptors)) {}
    OpenGroups(OpenGroups&& other) noexcept : descriptors_(std::move(other.descriptors_)) {
        other.descriptors_.clear();
    }
    OpenGroups& operator=(OpenGroups&& other) noexcept;
    ~OpenGroups();
    const std::vector<int>& descriptors() const { return descriptors_; }

private:
    std::vector<int> descriptors_;
};

class PodGroups {
public:
    // `tree` may be nullptr: nothing is limited then.
    explicit PodGroups(std::shared_ptr<CgroupTree> tree) : tree_(std::move(tree)) {}

    std::string unenforced(std::string_view resource) const;
    Result<void> add_pod(const SandboxRequest& request);
    // Adds to the request's spec what podinit has to see to itself.
    Result<OpenGroups> add_container(ContainerRequest& request);
    // `pid`: of its first process, as the holder calls it.
    void started(const ContainerRequest& request, int pid);
    OpenGroups open(const std::string& pod_uid, const std::string& container) const;
    bool ended(const std::string& pod_uid, const std::string& container);  // true: out of memory
    void remove_pod(const std::string& pod_uid);
    // Of all running containers. `keeper`: the process of podinit that was started.
    std::vector<ContainerReading> read(int keeper) const;

private:
    struct Container {
        std::string group;
        int pid = 0;
        std::chrono::steady_clock::time_point started{};
    };
    std::shared_ptr<CgroupTree> tree_;
    std::map<std::string, std::int64_t> process_limits_;  // by pod, where no group has it
    std::map<std::pair<std::string, std::string>, Container> containers_;
};

}  // namespace shed::kubelet
