// What the real server's own plugins do to a new pod: ServiceAccount, Priority, DefaultTolerationSeconds, then
// JobSet's pod webhooks.
#include "fakes/admission/internal.hpp"
#include "fakes/base/rng.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view token_path = "/var/run/secrets/kubernetes.io/serviceaccount";
constexpr int default_toleration_seconds = 300;

Error pod_forbidden(const Json& pod, const std::string& why) {
    const std::string name = string_at(pod, "metadata.name");
    return {Reason::forbidden, "pods \"" + name + "\" is forbidden: " + why,
            dump_json({{"name", name}, {"kind", "pods"}})};
}

Json token_volume(const std::string& name) {
    const Json token = {{"serviceAccountToken", {{"expirationSeconds", 3607}, {"path", "token"}}}};
    const Json ca_item = {{"key", "ca.crt"}, {"path", "ca.crt"}};
    const Json ca = {{"configMap", {{"name", "kube-root-ca.crt"}, {"items", Json::array({ca_item})}}}};
    const Json field = {{"apiVersion", "v1"}, {"fieldPath", "metadata.namespace"}};
    const Json ns_item = {{"path", "namespace"}, {"fieldRef", field}};
    const Json ns = {{"downwardAPI", {{"items", Json::array({ns_item})}}}};
    return {{"name", name},
            {"projected", {{"defaultMode", 420}, {"sources", Json::array({token, ca, ns})}}}};
}

bool mounts_token(const Json& container) {
    for (const Json& mount : list_of(container, "volumeMounts"))
        if (string_at(mount, "mountPath") == token_path) return true;
    return false;
}

void mount_token(Json& spec, std::uint64_t random) {
    const std::string name = "kube-api-access-" + Rng(random).suffix();
    bool mounted = false;
    for (const char* list : {"initContainers[*]", "containers[*]"})
        for_each_at(spec, list, [&](Json& container) {
            if (mounts_token(container)) return;
            mounted = true;
            container["volumeMounts"].push_back(
                {{"name", name}, {"readOnly", true}, {"mountPath", token_path}});
        });
    if (mounted) spec["volumes"].push_back(token_volume(name));
}

Result<void> admit_service_account(const AdmissionRequest& request, Json& pod, const ClusterView& cluster) {
    Json& spec = pod["spec"];
    if (at_path(pod, "metadata.annotations").contains("kubernetes.io/config.mirror")) return {};
    if (string_at(spec, "serviceAccountName").empty()) spec["serviceAccountName"] = "default";
    const std::string name = string_at(spec, "serviceAccountName");
    spec["serviceAccount"] = name;
    static const Kind& accounts = kind_of("v1", "ServiceAccount");
    const std::string ns = string_at(pod, "metadata.namespace");
    const ObjectPtr account = cluster.find({&accounts, ns, name});
    // Unlike kube-apiserver: a namespace works before its default account has been made.
    if (!account && name != "default")
        return pod_forbidden(pod, "error looking up service account " + ns + "/" + name +
                                      ": serviceaccount \"" + name + "\" not found");
    const bool by_account = !account || bool_at(account->dom(), "automountServiceAccountToken", true);
    if (bool_at(spec, "automountServiceAccountToken", by_account)) mount_token(spec, request.random);
    if (!account || spec.contains("imagePullSecrets")) return {};
    const Json& secrets = member(account->dom(), "imagePullSecrets");
    if (secrets.is_array() && !secrets.empty()) spec["imagePullSecrets"] = secrets;
    return {};
}

struct PriorityClass {
    std::string_view name;
    std::int64_t value;
};
constexpr PriorityClass system_classes[] = {{"system-cluster-critical", 2'000'000'000},
                                            {"system-node-critical", 2'000'001'000}};

Result<void> admit_priority(Json& pod, const ClusterView& cluster) {
    Json& spec = pod["spec"];
    const std::string name = string_at(spec, "priorityClassName");
    std::int64_t priority = 0;
    std::string preemption = "PreemptLowerPriority";
    if (!name.empty()) {
        const Kind* classes = find_kind_by_name("scheduling.k8s.io/v1", "PriorityClass");
        const ObjectPtr found = classes == nullptr ? nullptr : cluster.find({classes, "", name});
        const auto* system = std::find_if(std::begin(system_classes), std::end(system_classes),
                                          [&](const PriorityClass& c) { return c.name == name; });
        if (found) {
            priority = int_at(found->dom(), "value");
            preemption = string_at(found->dom(), "preemptionPolicy", preemption);
        } else if (system != std::end(system_classes)) {
            priority = system->value;
        } else {
            return pod_forbidden(pod, "no PriorityClass with name " + name + " was found");
        }
    }
    if (spec.contains("priority") && spec["priority"] != priority)
        return pod_forbidden(pod, "the integer value of priority (" + dump_json(spec["priority"]) +
                                      ") must not be provided in pod spec; priority admission "
                                      "controller computed " +
                                      std::to_string(priority) + " from the given PriorityClass name");
    spec["priority"] = priority;
    if (!spec.contains("preemptionPolicy")) spec["preemptionPolicy"] = preemption;
    return {};
}

bool tolerates(const Json& toleration, std::string_view key) {
    const std::string effect = string_at(toleration, "effect");
    const std::string its_key = string_at(toleration, "key");
    return (its_key == key || its_key.empty()) && (effect.empty() || effect == "NoExecute");
}

void admit_tolerations(Json& spec) {
    for (const std::string_view key : {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}) {
        const Json& given = list_of(spec, "tolerations");
        const bool tolerated = std::any_of(given.begin(), given.end(),
                                           [key](const Json& t) { return tolerates(t, key); });
        if (tolerated) continue;
        spec["tolerations"].push_back({{"key", key},
                                       {"operator", "Exists"},
                                       {"effect", "NoExecute"},
                                       {"tolerationSeconds", default_toleration_seconds}});
    }
}

// Requests that are not given are the limits. This is a default of pods, not of templates.
void default_requests(Json& spec) {
    for (const char* list : {"initContainers[*].resources", "containers[*].resources"})
        for_each_at(spec, list, [](Json& resources) {
            const auto limits = resources.find("limits");
            if (limits == resources.end() || !limits->is_object()) return;
            const Json copy = *limits;
            for (const auto& [name, value] : copy.items())
                if (!resources["requests"].contains(name)) resources["requests"][name] = value;
        });
}

}  // namespace

std::string_view qos_class(const Json& pod_spec) {
    bool any = false;
    bool guaranteed = true;
    for (const char* list : {"initContainers", "containers"})
        for (const Json& container : list_of(pod_spec, list)) {
            const Json& resources = member(container, "resources");
            for (const char* name : {"cpu", "memory"}) {
                const auto limit = Quantity::from_json(member(member(resources, "limits"), name));
                const auto request = Quantity::from_json(member(member(resources, "requests"), name));
                any = any || (limit && limit->milli() > 0) || (request && request->milli() > 0);
                guaranteed = guaranteed && limit && request && *limit == *request && limit->milli() > 0;
            }
        }
    if (!any) return "BestEffort";
    return guaranteed ? "Guaranteed" : "Burstable";
}

Result<void> admit_pod(const AdmissionRequest& request, Json& pod, const ClusterView& cluster) {
    default_requests(pod["spec"]);
    if (auto account = admit_service_account(request, pod, cluster); !account) return account.error();
    if (auto priority = admit_priority(pod, cluster); !priority) return priority.error();
    admit_tolerations(pod["spec"]);
    if (auto placed = default_jobset_pod(pod, cluster); !placed) return placed.error();
    if (auto allowed = validate_jobset_pod(pod, cluster); !allowed) return allowed.error();
    if (pod["status"].is_null()) pod["status"] = Json::object();
    pod["status"]["qosClass"] = qos_class(pod["spec"]);
    return {};
}

}  // namespace shed::admission
