// The defaults of the built-in kinds (k8s.io/kubernetes/pkg/apis/*/v1/defaults.go) as data. A row gives a value to
// every object on the way that lacks the last member; objects on the way are not created, so a row that makes one
// comes before the rows for its members.
#include "fakes/admission/internal.hpp"

namespace shed::admission {

namespace {

constexpr DefaultRow pod_spec[] = {
    {"restartPolicy", R"("Always")"},
    {"terminationGracePeriodSeconds", "30"},
    {"dnsPolicy", R"("ClusterFirst")"},
    {"securityContext", "{}"},
    {"schedulerName", R"("default-scheduler")"},
    {"volumes[*].secret.defaultMode", "420"},
    {"volumes[*].configMap.defaultMode", "420"},
    {"volumes[*].downwardAPI.defaultMode", "420"},
    {"volumes[*].downwardAPI.items[*].fieldRef.apiVersion", R"("v1")"},
    {"volumes[*].downwardAPI.items[*].resourceFieldRef.divisor", R"("0")"},
    {"volumes[*].projected.defaultMode", "420"},
    {"volumes[*].projected.sources[*].serviceAccountToken.expirationSeconds", "3600"},
    {"volumes[*].projected.sources[*].downwardAPI.items[*].fieldRef.apiVersion", R"("v1")"},
    {"volumes[*].hostPath.type", R"("")"},
    {"volumes[*].ephemeral.volumeClaimTemplate.spec.volumeMode", R"("Filesystem")"},
    {"volumes[*].ephemeral.volumeClaimTemplate.spec.resources", "{}"},
    {"topologySpreadConstraints[*].nodeAffinityPolicy", R"("Honor")"},
    {"topologySpreadConstraints[*].nodeTaintsPolicy", R"("Ignore")"},
};

constexpr DefaultRow container[] = {
    {"resources", "{}"},
    {"terminationMessagePath", R"("/dev/termination-log")"},
    {"terminationMessagePolicy", R"("File")"},
    {"ports[*].protocol", R"("TCP")"},
    {"env[*].valueFrom.fieldRef.apiVersion", R"("v1")"},
    {"env[*].valueFrom.resourceFieldRef.divisor", R"("0")"},
    {"lifecycle.postStart.httpGet.path", R"("/")"},
    {"lifecycle.postStart.httpGet.scheme", R"("HTTP")"},
    {"lifecycle.preStop.httpGet.path", R"("/")"},
    {"lifecycle.preStop.httpGet.scheme", R"("HTTP")"},
};

constexpr DefaultRow pod[] = {
    {"spec", "{}"},
    {"spec.enableServiceLinks", "true"},
};

constexpr DefaultRow job[] = {
    {"spec", "{}"},
    {"spec.template", "{}"},
    {"spec.template.spec", "{}"},
    {"spec.completionMode", R"("NonIndexed")"},
    {"spec.suspend", "false"},
    {"spec.manualSelector", "false"},
    {"spec.podFailurePolicy.rules[*].onPodConditions[*].status", R"("True")"},
};

constexpr DefaultRow cron_job[] = {
    {"spec.concurrencyPolicy", R"("Allow")"},
    {"spec.suspend", "false"},
    {"spec.successfulJobsHistoryLimit", "3"},
    {"spec.failedJobsHistoryLimit", "1"},
};

constexpr DefaultRow deployment[] = {
    {"spec.replicas", "1"},
    {"spec.strategy", "{}"},
    {"spec.strategy.type", R"("RollingUpdate")"},
    {"spec.revisionHistoryLimit", "10"},
    {"spec.progressDeadlineSeconds", "600"},
};

constexpr DefaultRow replica_set[] = {{"spec.replicas", "1"}};

constexpr DefaultRow stateful_set[] = {
    {"spec.podManagementPolicy", R"("OrderedReady")"},
    {"spec.updateStrategy", "{}"},
    {"spec.updateStrategy.type", R"("RollingUpdate")"},
    {"spec.persistentVolumeClaimRetentionPolicy", R"({"whenDeleted":"Retain","whenScaled":"Retain"})"},
    {"spec.replicas", "1"},
    {"spec.revisionHistoryLimit", "10"},
};

constexpr DefaultRow daemon_set[] = {
    {"spec.updateStrategy", "{}"},
    {"spec.updateStrategy.type", R"("RollingUpdate")"},
    {"spec.revisionHistoryLimit", "10"},
};

constexpr DefaultRow service[] = {
    {"spec", "{}"},
    {"spec.type", R"("ClusterIP")"},
    {"spec.sessionAffinity", R"("None")"},
    {"spec.ports[*].protocol", R"("TCP")"},
};

constexpr DefaultRow secret[] = {{"type", R"("Opaque")"}};

constexpr DefaultRow claim[] = {
    {"spec", "{}"},
    {"spec.resources", "{}"},
    {"spec.volumeMode", R"("Filesystem")"},
};

constexpr DefaultRow volume[] = {
    {"spec.persistentVolumeReclaimPolicy", R"("Retain")"},
    {"spec.volumeMode", R"("Filesystem")"},
};

constexpr DefaultRow namespace_rows[] = {
    {"spec", "{}"},
    {"spec.finalizers", R"(["kubernetes"])"},
};

constexpr DefaultRow node[] = {{"spec", "{}"}};
constexpr DefaultRow lease[] = {{"spec", "{}"}};

constexpr DefaultRow event[] = {
    {"source", "{}"},
    {"eventTime", "null"},
    {"firstTimestamp", "null"},
    {"lastTimestamp", "null"},
    {"reportingComponent", R"("")"},
    {"reportingInstance", R"("")"},
};

constexpr DefaultRow endpoints[] = {{"subsets[*].ports[*].protocol", R"("TCP")"}};

constexpr DefaultRow endpoint_slice[] = {
    {"endpoints", "null"},
    {"ports", "null"},
    {"ports[*].name", R"("")"},
    {"ports[*].protocol", R"("TCP")"},
};

constexpr DefaultRow priority_class[] = {{"preemptionPolicy", R"("PreemptLowerPriority")"}};

constexpr DefaultRow storage_class[] = {
    {"reclaimPolicy", R"("Delete")"},
    {"volumeBindingMode", R"("Immediate")"},
};

constexpr DefaultRow role_binding[] = {
    {"roleRef.apiGroup", R"("rbac.authorization.k8s.io")"},
};

constexpr std::string_view rbac = "rbac.authorization.k8s.io/v1";

constexpr KindDefaults kinds[] = {
    {"v1", "Pod", pod, R"({"phase":"Pending"})"},
    {"batch/v1", "Job", job, "{}"},
    {"batch/v1", "CronJob", cron_job, "{}"},
    {"apps/v1", "Deployment", deployment, "{}"},
    {"apps/v1", "ReplicaSet", replica_set, R"({"replicas":0})"},
    {"apps/v1", "StatefulSet", stateful_set, R"({"availableReplicas":0,"replicas":0})"},
    {"apps/v1", "DaemonSet", daemon_set,
     R"({"currentNumberScheduled":0,"desiredNumberScheduled":0,"numberMisscheduled":0,"numberReady":0})"},
    {"v1", "ReplicationController", replica_set, R"({"replicas":0})"},
    {"v1", "Service", service, R"({"loadBalancer":{}})"},
    {"v1", "Secret", secret, ""},
    {"v1", "PersistentVolumeClaim", claim, R"({"phase":"Pending"})"},
    {"v1", "PersistentVolume", volume, R"({"phase":"Pending"})"},
    {"v1", "Namespace", namespace_rows, R"({"phase":"Active"})"},
    {"v1", "Node", node, ""},
    {"v1", "Event", event, ""},
    {"v1", "Endpoints", endpoints, ""},
    {"coordination.k8s.io/v1", "Lease", lease, ""},
    {"discovery.k8s.io/v1", "EndpointSlice", endpoint_slice, ""},
    {"scheduling.k8s.io/v1", "PriorityClass", priority_class, ""},
    {"storage.k8s.io/v1", "StorageClass", storage_class, ""},
    {rbac, "RoleBinding", role_binding, ""},
    {rbac, "ClusterRoleBinding", role_binding, ""},
};

}  // namespace

std::span<const DefaultRow> pod_spec_rows() { return pod_spec; }
std::span<const DefaultRow> container_rows() { return container; }

const KindDefaults* kind_defaults(const Kind& kind) {
    for (const KindDefaults& each : kinds)
        if (each.kind == kind.kind && each.api_version == kind.api_version()) return &each;
    return nullptr;
}

}  // namespace shed::admission
