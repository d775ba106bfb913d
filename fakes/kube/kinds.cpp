// The table of served kinds, in discovery's order (core first, then groups as a real server lists them).
#include "fakes/kube/kube.hpp"

#include <array>

namespace shed {

namespace {

constexpr std::string_view apps = "apps", auth = "authentication.k8s.io",
                           authz = "authorization.k8s.io", rbac = "rbac.authorization.k8s.io",
                           admission = "admissionregistration.k8s.io",
                           trainer = "trainer.kubeflow.org", storage = "storage.k8s.io";

constexpr Kind namespaced(std::string_view group, std::string_view version, std::string_view kind,
                          std::string_view plural, std::string_view singular) {
    Kind k;
    k.group = group;
    k.version = version;
    k.kind = kind;
    k.plural = plural;
    k.singular = singular;
    return k;
}

constexpr Kind cluster(std::string_view group, std::string_view version, std::string_view kind,
                       std::string_view plural, std::string_view singular) {
    Kind k = namespaced(group, version, kind, plural, singular);
    k.namespaced = false;
    return k;
}

constexpr Kind with_names(Kind k, std::string_view short_names, std::string_view categories = {}) {
    k.short_names = short_names;
    k.categories = categories;
    return k;
}

constexpr Kind with_status(Kind k) {
    k.has_status = true;
    return k;
}

// Kinds whose spec changes are counted in metadata.generation.
constexpr Kind counted(Kind k) {
    k.has_generation = true;
    return k;
}

constexpr Kind custom(Kind k, bool status) {
    k.custom = true;
    k.has_status = status;
    k.has_generation = true;
    return k;
}

constexpr Kind review(Kind k) {
    k.create_only = true;
    return k;
}

constexpr auto kinds = std::to_array<Kind>({
    with_names(with_status(counted(namespaced("", "v1", "Pod", "pods", "pod"))), "po", "all"),
    with_names(with_status(namespaced("", "v1", "Service", "services", "service")), "svc", "all"),
    with_names(namespaced("", "v1", "ConfigMap", "configmaps", "configmap"), "cm"),
    namespaced("", "v1", "Secret", "secrets", "secret"),
    with_names(with_status(cluster("", "v1", "Node", "nodes", "node")), "no"),
    with_names(with_status(cluster("", "v1", "Namespace", "namespaces", "namespace")), "ns"),
    with_names(namespaced("", "v1", "Event", "events", "event"), "ev"),
    with_names(namespaced("", "v1", "ServiceAccount", "serviceaccounts", "serviceaccount"), "sa"),
    with_names(namespaced("", "v1", "Endpoints", "endpoints", "endpoints"), "ep"),
    with_names(with_status(cluster("", "v1", "PersistentVolume", "persistentvolumes",
                                   "persistentvolume")),
               "pv"),
    with_names(with_status(namespaced("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims",
                                      "persistentvolumeclaim")),
               "pvc"),
    with_names(namespaced("", "v1", "LimitRange", "limitranges", "limitrange"), "limits"),
    with_names(with_status(namespaced("", "v1", "ResourceQuota", "resourcequotas", "resourcequota")),
               "quota"),
    with_names(namespaced("", "v1", "PodTemplate", "podtemplates", "podtemplate"), ""),
    review(namespaced("", "v1", "Binding", "bindings", "binding")),

    with_names(with_status(counted(namespaced(apps, "v1", "Deployment", "deployments", "deployment"))),
               "deploy", "all"),
    with_names(with_status(counted(namespaced(apps, "v1", "ReplicaSet", "replicasets", "replicaset"))),
               "rs", "all"),
    with_names(
        with_status(counted(namespaced(apps, "v1", "StatefulSet", "statefulsets", "statefulset"))),
        "sts", "all"),
    with_names(with_status(counted(namespaced(apps, "v1", "DaemonSet", "daemonsets", "daemonset"))),
               "ds", "all"),
    namespaced(apps, "v1", "ControllerRevision", "controllerrevisions", "controllerrevision"),

    with_names(namespaced("events.k8s.io", "v1", "Event", "events", "event"), "ev"),

    review(cluster(auth, "v1", "TokenReview", "tokenreviews", "tokenreview")),
    review(cluster(auth, "v1", "SelfSubjectReview", "selfsubjectreviews", "selfsubjectreview")),
    review(cluster(authz, "v1", "SubjectAccessReview", "subjectaccessreviews",
                   "subjectaccessreview")),
    review(cluster(authz, "v1", "SelfSubjectAccessReview", "selfsubjectaccessreviews",
                   "selfsubjectaccessreview")),
    review(cluster(authz, "v1", "SelfSubjectRulesReview", "selfsubjectrulesreviews",
                   "selfsubjectrulesreview")),
    review(namespaced(authz, "v1", "LocalSubjectAccessReview", "localsubjectaccessreviews",
                      "localsubjectaccessreview")),

    with_names(with_status(counted(namespaced("batch", "v1", "CronJob", "cronjobs", "cronjob"))), "cj",
               "all"),
    with_names(with_status(counted(namespaced("batch", "v1", "Job", "jobs", "job"))), "", "all"),

    with_names(with_status(counted(namespaced("policy", "v1", "PodDisruptionBudget",
                                              "poddisruptionbudgets", "poddisruptionbudget"))),
               "pdb"),

    cluster(rbac, "v1", "ClusterRoleBinding", "clusterrolebindings", "clusterrolebinding"),
    cluster(rbac, "v1", "ClusterRole", "clusterroles", "clusterrole"),
    namespaced(rbac, "v1", "RoleBinding", "rolebindings", "rolebinding"),
    namespaced(rbac, "v1", "Role", "roles", "role"),

    with_names(cluster(storage, "v1", "StorageClass", "storageclasses", "storageclass"), "sc"),

    counted(cluster(admission, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations",
                    "mutatingwebhookconfiguration")),
    counted(cluster(admission, "v1", "ValidatingWebhookConfiguration",
                    "validatingwebhookconfigurations", "validatingwebhookconfiguration")),

    with_names(with_status(counted(cluster("apiextensions.k8s.io", "v1", "CustomResourceDefinition",
                                           "customresourcedefinitions", "customresourcedefinition"))),
               "crd,crds", "api-extensions"),

    with_names(counted(cluster("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses",
                               "priorityclass")),
               "pc"),

    namespaced("coordination.k8s.io", "v1", "Lease", "leases", "lease"),

    cluster("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", "runtimeclass"),

    counted(namespaced("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices", "endpointslice")),

    custom(cluster(trainer, "v1alpha1", "ClusterTrainingRuntime", "clustertrainingruntimes",
                   "clustertrainingruntime"),
           false),
    custom(namespaced(trainer, "v1alpha1", "TrainingRuntime", "trainingruntimes", "trainingruntime"),
           false),
    custom(namespaced(trainer, "v1alpha1", "TrainJob", "trainjobs", "trainjob"), true),
    custom(namespaced("jobset.x-k8s.io", "v1alpha2", "JobSet", "jobsets", "jobset"), true),
    custom(with_names(namespaced("scheduling.x-k8s.io", "v1alpha1", "PodGroup", "podgroups", "podgroup"),
                      "pg,pgs"),
           true),
    custom(with_names(
               namespaced("scheduling.volcano.sh", "v1beta1", "PodGroup", "podgroups", "podgroup"),
               "pg,podgroup-v1beta1"),
           false),
});

}  // namespace

std::span<const Kind> all_kinds() { return kinds; }

const Kind* find_kind(std::string_view group, std::string_view version, std::string_view plural) {
    for (const Kind& k : kinds)
        if (k.plural == plural && k.group == group && k.version == version) return &k;
    return nullptr;
}

const Kind* find_kind_by_name(std::string_view api_version, std::string_view kind) {
    const auto slash = api_version.find('/');
    const bool core = slash == std::string_view::npos;
    const std::string_view group = core ? "" : api_version.substr(0, slash);
    const std::string_view version = core ? api_version : api_version.substr(slash + 1);
    for (const Kind& k : kinds)
        if (k.kind == kind && k.group == group && k.version == version) return &k;
    return nullptr;
}

const Kind& kind_of(std::string_view api_version, std::string_view kind) {
    const Kind* found = find_kind_by_name(api_version, kind);
    SHED_CHECK(found != nullptr);
    return *found;
}

std::string Kind::api_version() const {
    return group.empty() ? std::string(version) : std::string(group) + "/" + std::string(version);
}

std::string Kind::group_resource() const {
    return group.empty() ? std::string(plural) : std::string(plural) + "." + std::string(group);
}

std::string Kind::group_kind() const {
    return group.empty() ? std::string(kind) : std::string(kind) + "." + std::string(group);
}

std::string Key::text() const {
    return (kind == nullptr ? std::string("?") : std::string(kind->plural)) + " " +
           (ns.empty() ? name : ns + "/" + name);
}

}  // namespace shed
