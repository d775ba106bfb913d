// Error texts quote values as Go prints its structs: members in the order of their declaration. One order serves all
// the structs that are ever quoted, since their members hardly clash.
#include "fakes/admission/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_map>

namespace shed::admission {

namespace {

constexpr std::string_view declared[] = {
    // RuntimeRef, EnvVar, ReplicatedJob, Container
    "manager", "time", "name", "apiGroup", "kind", "value", "valueFrom", "groupName", "metadata",
    "image", "command", "args", "workingDir", "ports", "envFrom", "env", "resources", "resizePolicy",
    // PodSpec
    "volumes", "initContainers", "containers", "ephemeralContainers", "restartPolicy",
    "terminationGracePeriodSeconds",
    // Container again
    "volumeMounts", "volumeDevices", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle",
    "terminationMessagePath", "terminationMessagePolicy", "imagePullPolicy",
    // JobSpec
    "parallelism", "completions", "activeDeadlineSeconds", "podFailurePolicy", "successPolicy",
    "backoffLimit", "backoffLimitPerIndex", "maxFailedIndexes", "selector", "manualSelector", "template",
    "ttlSecondsAfterFinished", "completionMode", "suspend", "podReplacementPolicy", "replicas",
    "dependsOn",
    // PodSpec again
    "dnsPolicy", "nodeSelector", "serviceAccountName", "serviceAccount", "automountServiceAccountToken",
    "nodeName", "hostNetwork", "hostPID", "hostIPC", "securityContext", "imagePullSecrets", "hostname",
    "subdomain", "affinity", "schedulerName", "tolerations", "hostAliases", "priorityClassName",
    "priority", "dnsConfig", "readinessGates", "enableServiceLinks", "preemptionPolicy",
    "topologySpreadConstraints", "schedulingGates",
    // probes, ports, mounts, resources, volumes, owners
    "exec", "httpGet", "tcpSocket", "grpc", "initialDelaySeconds", "timeoutSeconds", "periodSeconds",
    "successThreshold", "failureThreshold", "hostPort", "containerPort", "protocol", "readOnly",
    "mountPath", "subPath", "limits", "requests", "claims", "secretName", "items", "key", "path", "mode",
    "defaultMode", "apiVersion", "uid", "controller", "blockOwnerDeletion", "matchLabels",
    "matchExpressions", "operator", "values", "effect", "tolerationSeconds", "jobName",
    "containerNames"};

std::size_t rank(const std::string& name) {
    static const auto ranks = [] {
        std::unordered_map<std::string_view, std::size_t> all;
        for (std::size_t i = 0; i < std::size(declared); ++i) all.emplace(declared[i], i);
        return all;
    }();
    const auto found = ranks.find(name);
    return found == ranks.end() ? std::size(declared) : found->second;
}

void print(const Json& value, std::string& out) {
    if (value.is_array()) {
        out += '[';
        for (const Json& item : value) {
            if (out.back() != '[') out += ',';
            print(item, out);
        }
        out += ']';
        return;
    }
    if (!value.is_object()) {
        out += dump_json(value);
        return;
    }
    std::vector<std::pair<std::size_t, const std::string*>> names;
    for (const auto& [name, part] : value.items()) names.emplace_back(rank(name), &name);
    std::sort(names.begin(), names.end(), [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first < b.first : *a.second < *b.second;
    });
    out += '{';
    for (const auto& [order, name] : names) {
        if (out.back() != '{') out += ',';
        out += json_quoted(*name) + ":";
        print(value.at(*name), out);
    }
    out += '}';
}

}  // namespace

std::string go_json(const Json& value) {
    std::string out;
    print(value, out);
    return out;
}

}  // namespace shed::admission
