// Defaults that depend on other members.
#include "fakes/admission/internal.hpp"

#include <climits>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

void set_absent(Json& object, const char* name, Json value) {
    if (!object.contains(name)) object[name] = std::move(value);
}

// The labels that tie pods to their Job, by the names of today and of before 1.27. Those that are given stay, and are
// refused by validation when they are others.
void generate_job_selector(Json& job) {
    Json& spec = job["spec"];
    if (bool_at(spec, "manualSelector")) return;
    const std::string uid = string_at(job, "metadata.uid");
    const std::string name = string_at(job, "metadata.name");
    Json& labels = spec["template"]["metadata"]["labels"];
    if (!labels.is_object()) labels = Json::object();
    for (const char* label : {"batch.kubernetes.io/controller-uid", "controller-uid"}) set_absent(labels, label, uid);
    for (const char* label : {"batch.kubernetes.io/job-name", "job-name"}) set_absent(labels, label, name);
    set_absent(spec["selector"]["matchLabels"], "batch.kubernetes.io/controller-uid", uid);
}

void default_job(Operation operation, Json& job) {
    Json& spec = job["spec"];
    if (!spec.contains("completions") && !spec.contains("parallelism")) {
        // Unset completions stay unset beside parallelism: a work queue.
        spec["completions"] = 1;
        spec["parallelism"] = 1;
    }
    set_absent(spec, "parallelism", 1);
    set_absent(spec, "backoffLimit", spec.contains("backoffLimitPerIndex") ? INT_MAX : 6);
    set_absent(spec, "podReplacementPolicy",
               spec.contains("podFailurePolicy") ? "Failed" : "TerminatingOrFailed");
    if (operation == Operation::create) generate_job_selector(job);
    const Json& labels = at_path(spec, "template.metadata.labels");
    if (!job["metadata"].contains("labels") && labels.is_object()) job["metadata"]["labels"] = labels;
}

// Workloads that select pods take the labels of their template when they have none (core's and old apps' rule).
void default_selector(Json& object) {
    Json& spec = object["spec"];
    const Json& labels = at_path(spec, "template.metadata.labels");
    if (!labels.is_object()) return;
    set_absent(spec, "selector", labels);
    set_absent(object["metadata"], "labels", labels);
}

void default_rolling_update(Json& spec, const char* member_name, const Json& values) {
    Json& strategy = spec[member_name];
    if (string_at(strategy, "type") != "RollingUpdate") return;
    Json& update = strategy["rollingUpdate"];
    if (!update.is_object()) update = Json::object();
    for (const auto& [name, value] : values.items())
        if (!update.contains(name)) update[name] = value;
}

void default_service_ports(Json& spec) {
    for_each_at(spec, "ports[*]", [](Json& port) {
        const auto target = port.find("targetPort");
        const bool unset = target == port.end() || *target == 0 || *target == "";
        if (unset && port.contains("port")) port["targetPort"] = port["port"];
    });
}

void default_service(Json& service) {
    Json& spec = service["spec"];
    for (const char* name : {"publishNotReadyAddresses"})
        if (spec.contains(name) && spec[name] == false) spec.erase(name);
    default_service_ports(spec);
    const std::string type = string_at(spec, "type");
    if (type == "ExternalName") return;
    set_absent(spec, "internalTrafficPolicy", "Cluster");
    set_absent(spec, "ipFamilies", Json::array({"IPv4"}));
    set_absent(spec, "ipFamilyPolicy", "SingleStack");
    if (type == "NodePort" || type == "LoadBalancer") set_absent(spec, "externalTrafficPolicy", "Cluster");
    if (type == "LoadBalancer") set_absent(spec, "allocateLoadBalancerNodePorts", true);
    if (string_at(spec, "sessionAffinity") == "ClientIP")
        set_absent(spec, "sessionAffinityConfig", {{"clientIP", {{"timeoutSeconds", 10800}}}});
    // A real address is given by whoever knows which are taken.
    if (const std::string ip = string_at(spec, "clusterIP"); !ip.empty())
        set_absent(spec, "clusterIPs", Json::array({ip}));
    else spec.erase("clusterIP");
}

}  // namespace

// Addresses are given once; whoever leaves them out of an update does not mean to give them back.
void keep_allocated(const Json& old, Json& service) {
    if (!service.contains("spec") || string_at(service, "spec.type") == "ExternalName") return;
    Json& spec = service["spec"];
    const std::string before = string_at(old, "spec.clusterIP"), now = string_at(spec, "clusterIP");
    if (now.empty() && !before.empty()) spec["clusterIP"] = before;
    const Json& addresses = at_path(old, "spec.clusterIPs");
    if (!spec.contains("clusterIPs")) {
        if (string_at(spec, "clusterIP") == before && !addresses.is_null()) spec["clusterIPs"] = addresses;
    } else if (spec["clusterIPs"] == addresses && now != before && !now.empty() && !addresses.empty()) {
        spec["clusterIPs"][0] = now;
    }
}

namespace {

void default_namespace(Json& object) {
    object["metadata"]["labels"]["kubernetes.io/metadata.name"] = string_at(object, "metadata.name");
}

// A node offers what it has unless it says otherwise.
void default_node(Json& node) {
    const Json& capacity = at_path(node, "status.capacity");
    if (capacity.is_object() && at_path(node, "status.allocatable").is_null())
        node["status"]["allocatable"] = capacity;
}

}  // namespace

void default_workload(const Kind& kind, Operation operation, Json& object) {
    if (!object.contains("metadata")) object["metadata"] = Json::object();
    const std::string_view name = kind.kind;
    const bool has_spec = object.contains("spec") && object["spec"].is_object();
    if (name == "Namespace" && kind.group.empty()) return default_namespace(object);
    if (name == "Node") return default_node(object);
    if (!has_spec) return;
    if (name == "Job") return default_job(operation, object);
    if (name == "Service") return default_service(object);
    if (name == "ReplicationController") return default_selector(object);
    if (name == "Deployment")
        return default_rolling_update(object["spec"], "strategy",
                                      {{"maxSurge", "25%"}, {"maxUnavailable", "25%"}});
    if (name == "DaemonSet")
        return default_rolling_update(object["spec"], "updateStrategy",
                                      {{"maxSurge", 0}, {"maxUnavailable", 1}});
    if (name == "StatefulSet")
        default_rolling_update(object["spec"], "updateStrategy", {{"partition", 0}});
}

}  // namespace shed::admission
