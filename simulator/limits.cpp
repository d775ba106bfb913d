#include "simulator/limits.hpp"

#include "fakes/cgroup/cgroup.hpp"
#include "fakes/podinit/protocol.hpp"
#include "simulator/paths.hpp"

#include <unistd.h>

namespace shed {

namespace {

// Of its own, so that clusters of one name in different state directories do not meet.
std::string group_name(const Topology& topology) {
    return topology.name + "." + std::to_string(::getpid());
}

std::string version_name(CgroupVersion version) {
    return version == CgroupVersion::v1 ? "cgroup v1" : "cgroup v2";
}

const char* hint_for(const CgroupHost& host) {
    if (::geteuid() != 0 && host.layout == "v2")
        return "start it in a group of its own: systemd-run --user --scope -p Delegate=yes trainshed up; cpu may have "
               "to be delegated first: https://systemd.io/CGROUP_DELEGATION";
    if (::geteuid() != 0) return "run as root, or on a machine with cgroup v2 (systemd.unified_cgroup_hierarchy=1)";
    return "in a container: let it have control groups to write to (docker run --privileged), and with version 2 run "
           "nothing but trainshed in it, or move what else runs to a group below its own";
}

Finding limit(const CgroupHost& host, const std::string& resource, const std::string& otherwise) {
    const CgroupController& controller = host.find(resource);
    if (controller.usable())
        return {"resources-" + resource, Finding::Verdict::ok,
                "limits hold, by " + version_name(controller.version) + " in " + controller.directory, ""};
    return {"resources-" + resource, Finding::Verdict::warn, otherwise + ": " + controller.why_not, hint_for(host)};
}

}  // namespace

Result<std::shared_ptr<CgroupTree>> make_groups(const Topology& topology) {
    auto tree = std::make_shared<CgroupTree>(detect_cgroups(), group_name(topology));
    std::string list;
    for (const std::string& directory : tree->directories()) list += directory + "\n";
    // Before they are made: whatever happens now, somebody finds them.
    const std::string& pods = topology.node_directory;
    auto written = write_file(pods.substr(0, pods.rfind('/') + 1) + podinit::groups_file, list, 0600);
    if (!written) return written.error();
    tree->make();
    return tree;
}

std::vector<Finding> examine_limits() {
    const CgroupHost host = detect_cgroups();
    return {limit(host, "memory", "memory limits of pods do not hold"),
            limit(host, "cpu", "cpu limits of pods do not hold"),
            limit(host, "pids", "the number of processes of a pod is limited by RLIMIT_NPROC, or not at all")};
}

}  // namespace shed
