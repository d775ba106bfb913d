// JobSet's webhooks for pods: the priority label, and exclusive placement, by which the pods of one Job get a topology
// domain of their own (kubernetes-sigs/jobset pkg/webhooks/pod_webhook.go).
#include "fakes/admission/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr const char* jobset_name = "jobset.sigs.k8s.io/jobset-name";
constexpr const char* job_key = "jobset.sigs.k8s.io/job-key";
constexpr const char* priority_label = "jobset.sigs.k8s.io/priority";
constexpr const char* exclusive_topology = "alpha.jobset.sigs.k8s.io/exclusive-topology";
constexpr const char* node_selector_strategy = "alpha.jobset.sigs.k8s.io/node-selector";
constexpr const char* completion_index = "batch.kubernetes.io/job-completion-index";

const Json& annotations_of(const Json& pod) { return at_path(pod, "metadata.annotations"); }

std::string label_of(const Json& pod, const char* name) {
    const Json& value = member(at_path(pod, "metadata.labels"), name);
    return value.is_string() ? value.get<std::string>() : "";
}

bool is_its_business(const Json& pod) {
    return member(annotations_of(pod), jobset_name).is_string() &&
           member(annotations_of(pod), node_selector_strategy).is_null();
}

bool is_exclusive(const Json& pod) { return member(annotations_of(pod), exclusive_topology).is_string(); }

std::string topology_key(const Json& pod) {
    return member(annotations_of(pod), exclusive_topology).get<std::string>();
}

bool is_leader(const Json& pod) { return member(annotations_of(pod), completion_index) == "0"; }

Json expression(const char* key, const char* op, const std::string& value = "") {
    Json result = {{"key", key}, {"operator", op}};
    if (!value.empty()) result["values"] = Json::array({value});
    return result;
}

Json affinity_term(const Json& pod, Json expressions) {
    return {{"labelSelector", {{"matchExpressions", std::move(expressions)}}},
            {"topologyKey", topology_key(pod)},
            {"namespaceSelector", Json::object()}};
}

// The first pod of a Job takes a domain where no pods of other Jobs of its priority are.
void claim_domain(Json& pod) {
    const std::string job = label_of(pod, job_key);
    Json& affinity = pod["spec"]["affinity"];
    constexpr const char* required = "requiredDuringSchedulingIgnoredDuringExecution";
    affinity["podAffinity"][required].push_back(
        affinity_term(pod, Json::array({expression(job_key, "In", job)})));
    affinity["podAntiAffinity"][required].push_back(affinity_term(
        pod, Json::array({expression(job_key, "Exists"), expression(job_key, "NotIn", job),
                          expression(priority_label, "In", label_of(pod, priority_label))})));
}

std::string controller_uid(const Json& pod) {
    for (const Json& owner : list_of(pod, "metadata.ownerReferences"))
        if (bool_at(owner, "controller")) return string_at(owner, "uid");
    return "";
}

// The Job's pod with index 0, when there is exactly one that lives.
ObjectPtr leader_of(const Json& pod, const ClusterView& cluster) {
    static const Kind& pods = kind_of("v1", "Pod");
    ObjectPtr leader;
    for (const ObjectPtr& other : cluster.list(pods, string_at(pod, "metadata.namespace"))) {
        const std::string phase = string_at(other->dom(), "status.phase");
        const bool lives = !other->deleting() && phase != "Failed" && phase != "Succeeded";
        if (!lives || !is_leader(other->dom()) || other->label(job_key) != label_of(pod, job_key)) continue;
        if (leader) return nullptr;
        leader = other;
    }
    if (!leader || controller_uid(leader->dom()) != controller_uid(pod)) return nullptr;
    return leader;
}

Result<void> follow_leader(Json& pod, const ClusterView& cluster) {
    const ObjectPtr leader = leader_of(pod, cluster);
    const std::string node_name = leader ? string_at(leader->dom(), "spec.nodeName") : "";
    if (node_name.empty()) return {};  // The validating webhook refuses the pod.
    const ObjectPtr node = cluster.find({&kind_of("v1", "Node"), "", node_name});
    const std::string key = topology_key(pod);
    const std::string domain = node ? std::string(node->label(key)) : "";
    if (domain.empty())
        return denied_by("mpod.kb.io", {"node does not have topology label: " + key});
    pod["spec"]["nodeSelector"][key] = domain;
    return {};
}

}  // namespace

Result<void> default_jobset_pod(Json& pod, const ClusterView& cluster) {
    if (!is_its_business(pod)) return {};
    if (const Json& priority = at_path(pod, "spec.priority"); !priority.is_null())
        pod["metadata"]["labels"][priority_label] = dump_json(priority);
    if (!is_exclusive(pod)) return {};
    if (!is_leader(pod)) return follow_leader(pod, cluster);
    claim_domain(pod);
    return {};
}

Result<void> validate_jobset_pod(const Json& pod, const ClusterView& cluster) {
    if (!is_its_business(pod) || !is_exclusive(pod) || is_leader(pod)) return {};
    const auto denied = [](const std::string& why) { return denied_by("vpod.kb.io", {why}); };
    const Json& selector = at_path(pod, "spec.nodeSelector");
    if (!selector.is_object()) return denied("follower pod node selector not set");
    const std::string key = topology_key(pod);
    if (!selector.contains(key))
        return denied("follower pod node selector for topology domain not found. missing selector: " + key);
    const ObjectPtr leader = leader_of(pod, cluster);
    if (!leader || string_at(leader->dom(), "spec.nodeName").empty())
        return denied("leader pod not yet scheduled, not creating follower pod. this is an expected, "
                      "transient error");
    return {};
}

}  // namespace shed::admission
