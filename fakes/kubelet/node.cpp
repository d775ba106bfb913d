#include "fakes/kubelet/node.hpp"

#include <sys/utsname.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace shed::kubelet {
namespace {

constexpr const char* version = "v1.36.3";

std::string architecture() {
    struct utsname host = {};
    ::uname(&host);
    const std::string machine = host.machine;
    return machine == "x86_64" ? "amd64" : machine == "aarch64" ? "arm64" : machine;
}

std::string first_line(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::string os_image() {
    std::ifstream file("/etc/os-release");
    const std::string head = "PRETTY_NAME=\"";
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(head)) return line.substr(head.size(), line.size() - head.size() - 1);
    }
    return "Linux";
}

Json condition(const char* type, bool status, const char* reason, const char* message, Time now) {
    return {{"type", type},
            {"status", status ? "True" : "False"},
            {"reason", reason},
            {"message", message},
            {"lastHeartbeatTime", format_time(now)},
            {"lastTransitionTime", format_time(now)}};
}

Json node_info() {
    struct utsname host = {};
    ::uname(&host);
    const std::string machine_id = first_line("/etc/machine-id");
    return {{"machineID", machine_id},
            {"systemUUID", machine_id},
            {"bootID", first_line("/proc/sys/kernel/random/boot_id")},
            {"kernelVersion", host.release},
            {"osImage", os_image()},
            {"containerRuntimeVersion", "trainshed://0.1.0"},
            {"kubeletVersion", version},
            {"kubeProxyVersion", ""},
            {"operatingSystem", "linux"},
            {"architecture", architecture()}};
}

Json status_json(const KubeletConfig& config, Time now) {
    Json amounts = Json::object();
    for (const auto& [name, amount] : allocatable(config)) amounts[name] = amount;
    Json status = {{"capacity", amounts}, {"allocatable", amounts}, {"nodeInfo", node_info()}};
    status["addresses"] = Json::array({Json{{"type", "InternalIP"}, {"address", config.host_ip}},
                                       Json{{"type", "Hostname"}, {"address", config.node}}});
    status["conditions"] = Json::array(
        {condition("MemoryPressure", false, "KubeletHasSufficientMemory",
                   "kubelet has sufficient memory available", now),
         condition("DiskPressure", false, "KubeletHasNoDiskPressure",
                   "kubelet has no disk pressure", now),
         condition("PIDPressure", false, "KubeletHasSufficientPID",
                   "kubelet has sufficient PID available", now),
         condition("Ready", true, "KubeletReady", "kubelet is posting ready status", now)});
    status["daemonEndpoints"] = {{"kubeletEndpoint", {{"Port", 10250}}}};
    return status;
}

}  // namespace

std::map<std::string, std::string> allocatable(const KubeletConfig& config) {
    std::map<std::string, std::string> amounts = {
        {"cpu", config.capacity.cpu},
        {"memory", config.capacity.memory},
        {"ephemeral-storage", config.capacity.ephemeral_storage},
        {"pods", std::to_string(config.capacity.pods)}};
    for (const auto& [resource, count] : config.capacity.gpus)
        if (count > 0) amounts[resource] = std::to_string(count);
    return amounts;
}

Json node_json(const KubeletConfig& config, Time now) {
    Json labels = {{"kubernetes.io/hostname", config.node},
                   {"kubernetes.io/os", "linux"},
                   {"kubernetes.io/arch", architecture()},
                   {"beta.kubernetes.io/os", "linux"},
                   {"beta.kubernetes.io/arch", architecture()}};
    for (const auto& [name, value] : config.labels) labels[name] = value;
    Json node = {{"apiVersion", "v1"},
                 {"kind", "Node"},
                 {"spec", Json::object()},
                 {"status", status_json(config, now)}};
    node["metadata"] = {{"name", config.node}, {"labels", std::move(labels)}};
    return node;
}

Json node_status_patch(const KubeletConfig& config, Time now) {
    return {{"status", status_json(config, now)}};
}

Json lease_json(const KubeletConfig& config, const std::string& node_uid, Time now) {
    Json lease = {{"apiVersion", "coordination.k8s.io/v1"}, {"kind", "Lease"}};
    lease["metadata"] = {{"name", config.node}, {"namespace", "kube-node-lease"}};
    lease["metadata"]["ownerReferences"] = Json::array(
        {Json{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", config.node}, {"uid", node_uid}}});
    lease["spec"] = {{"holderIdentity", config.node},
                     {"leaseDurationSeconds", 40},
                     {"renewTime", format_micro_time(now)}};
    return lease;
}

}  // namespace shed::kubelet
