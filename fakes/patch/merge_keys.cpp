#include "fakes/patch/merge_keys.hpp"

#include <algorithm>

namespace shed {

namespace {

struct Row {
    std::string_view name, key;
    std::string_view second_key = {};  // server-side apply tells entries apart by both
};

// k8s.io/api struct tags (patchMergeKey, patchStrategy=merge) and listMapKey markers.
constexpr Row rows[] = {
    {"containers", "name"},
    {"initContainers", "name"},
    {"ephemeralContainers", "name"},
    {"env", "name"},
    {"volumes", "name"},
    {"volumeMounts", "mountPath"},
    {"volumeDevices", "devicePath"},
    {"ports", "containerPort", "protocol"},
    {"imagePullSecrets", "name"},
    {"secrets", "name"},
    {"conditions", "type"},
    {"addresses", "type"},
    {"ownerReferences", "uid"},
    {"hostAliases", "ip"},
    {"topologySpreadConstraints", "topologyKey", "whenUnsatisfiable"},
    {"podIPs", "ip"},
    {"hostIPs", "ip"},
    {"resourceClaims", "name"},
    {"claims", "name"},
    {"schedulingGates", "name"},
    {"replicatedJobs", "name"},
    {"replicatedJobsStatus", "name"},
    {"jobsStatus", "name"},
    {"dependsOn", "name"},
    {"runtimePatches", "manager"},
    {"taints", "key", "effect"},
    {"webhooks", "name"},
};
constexpr std::string_view sets[] = {"finalizers"};

}  // namespace

ListRule list_rule(std::string_view parent, std::string_view name) {
    if (name == "ports" && parent == "spec") return {ListMerge::by_key, "port", {"port", "protocol"}};
    // A secret volume's or a ServiceAccount token's lists of the same name are plain values.
    if (name == "ports" && (parent == "ingress" || parent == "egress")) return {};
    for (const Row& row : rows) {
        if (row.name != name) continue;
        if (row.second_key.empty()) return {ListMerge::by_key, row.key, {row.key}};
        return {ListMerge::by_key, row.key, {row.key, row.second_key}};
    }
    if (std::find(std::begin(sets), std::end(sets), name) != std::end(sets)) return {ListMerge::set, {}, {}};
    return {};
}

}  // namespace shed
