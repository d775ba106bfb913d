#include "rules.hpp"

namespace shed::test {
namespace {

constexpr const char* good_pod = R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
  "spec": {"containers": [{"name": "c", "image": "i"}]}})";

const std::string label_rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const Row of_pods[] = {
    {"Good", R"({})"},
    {"NoContainers", R"({"spec": {"containers": null}})", {"spec.containers: Required value"}},
    {"UnknownRestartPolicy",
     R"({"spec": {"restartPolicy": "Sometimes"}})",
     {"spec.restartPolicy: Unsupported value: \"Sometimes\": supported values: \"Always\", "
      "\"OnFailure\", "
      "\"Never\""}},
    {"UnknownDnsPolicy",
     R"({"spec": {"dnsPolicy": "Mine"}})",
     {"spec.dnsPolicy: Unsupported value: \"Mine\": supported values: \"ClusterFirstWithHostNet\", "
      "\"ClusterFirst\", \"Default\", \"None\""}},
    {"DnsNoneWithoutConfig",
     R"({"spec": {"dnsPolicy": "None"}})",
     {"spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None"}},
    {"NameserverNotAnAddress",
     R"({"spec": {"dnsConfig": {"nameservers": ["a", "01.2.3.4"]}}})",
     {"spec.dnsConfig.nameservers[0]: Invalid value: \"a\": must be a valid IP address, (e.g. "
      "10.9.8.7 or "
      "2001:db8::ffff)",
      "spec.dnsConfig.nameservers[1]: Invalid value: \"01.2.3.4\": must not have leading 0s"}},
    {"DeadlineOfZero",
     R"({"spec": {"activeDeadlineSeconds": 0}})",
     {"spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive"}},
    {"BadHostname",
     R"({"spec": {"hostname": "a.b"}})",
     {"spec.hostname: Invalid value: \"a.b\": must not contain dots"}},
    {"BadSubdomain",
     R"({"spec": {"subdomain": "A"}})",
     {"spec.subdomain: Invalid value: \"A\": " + label_rule}},
    {"BadHostAlias",
     R"({"spec": {"hostAliases": [{"ip": "::ffff:1.2.3.4"}]}})",
     {"spec.hostAliases[0].ip: Invalid value: \"::ffff:1.2.3.4\": must not be an IPv4-mapped IPv6 "
      "address"}},
    {"BadNodeSelector",
     R"({"spec": {"nodeSelector": {"a": "b c"}}})",
     {"spec.nodeSelector: Invalid value: \"b c\": a valid label must be an empty string or consist "
      "of "
      "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
      "character (e.g. "
      "'MyValue',  or 'my_value',  or '12345', regex used for validation is "
      "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"}},
    {"TolerationOfAll",
     R"({"spec": {"tolerations": [{"operator": "Equal", "value": "v"}]}})",
     {"spec.tolerations[0].operator: Invalid value: \"Equal\": operator must be Exists when `key` "
      "is empty, "
      "which means \"match all values and all keys\""}},
    {"TolerationSeconds",
     R"({"spec": {"tolerations": [{"key": "k", "effect": "NoSchedule", "tolerationSeconds": 1}]}})",
     {"spec.tolerations[0].effect: Invalid value: \"NoSchedule\": effect must be 'NoExecute' when "
      "`tolerationSeconds` is set"}},
    {"TolerationWithNeedlessValue",
     R"({"spec": {"tolerations": [{"key": "k", "operator": "Exists", "value": "v"}]}})",
     {"spec.tolerations[0].operator: Invalid value: \"v\": value must be empty when `operator` is "
      "'Exists'"}},
    {"HostPortOnHostNetwork",
     R"({"spec": {"hostNetwork": true,
         "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 1, "hostPort": 2}]}]}})",
     {"spec.containers[0].ports[0].hostPort: Invalid value: 2: must match `containerPort` when "
      "`hostNetwork` "
      "is true"}},
    {"UserOutOfRange",
     R"({"spec": {"securityContext": {"runAsUser": -1, "supplementalGroups": [3, 2147483648]}}})",
     {"spec.securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, "
      "inclusive",
      "spec.securityContext.supplementalGroups[1]: Invalid value: 2147483648: must be between 0 "
      "and "
      "2147483647, inclusive"}},
    {"EphemeralContainer",
     R"({"spec": {"ephemeralContainers": [{"name": "e", "image": "i"}]}})",
     {"spec.ephemeralContainers: Forbidden: cannot be set on create"}},
    {"GatedOnANode",
     R"({"spec": {"nodeName": "n", "schedulingGates": [{"name": "g"}]}})",
     {"spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared"}},
    {"SpreadWithoutKey",
     R"({"spec": {"topologySpreadConstraints": [{"maxSkew": 0, "whenUnsatisfiable": "X"}]}})",
     {"spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero",
      "spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty",
      "spec.topologySpreadConstraints[0].whenUnsatisfiable: Unsupported value: \"X\": supported "
      "values: "
      "\"DoNotSchedule\", \"ScheduleAnyway\""}},
    {"NodeAffinityWithoutTerms",
     R"({"spec": {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
         {"nodeSelectorTerms": []}}}}})",
     {"spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms:"
      " Required "
      "value: must have at least one node selector term"}},
    {"PodAffinityWithoutTopology",
     R"({"spec": {"affinity": {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution":
         [{"weight": 101, "podAffinityTerm": {"topologyKey": "a/b/c"}}]}}}})",
     {"spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: "
      "Invalid value: "
      "101: must be in the range 1-100",
      "spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0]."
      "podAffinityTerm."
      "topologyKey: Invalid value: \"a/b/c\": a valid label key must consist of alphanumeric "
      "characters, '-', "
      "'_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or "
      "'my.name',  or "
      "'123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an "
      "optional "
      "DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"}},
    {"DeletionCost",
     R"({"metadata": {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "+5"}}})",
     {"metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: \"+5\": "
      "must be a 32bit "
      "integer"}},
};
SHED_RULES(PodRules, good_pod, of_pods);

constexpr const char* good_container =
    R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
  "spec": {"automountServiceAccountToken": false, "volumes": [{"name": "v", "emptyDir": {}}],
           "containers": [{"name": "c", "image": "i"}]}})";

const Row of_containers[] = {
    {"NoName",
     R"({"spec": {"containers": [{"image": "i"}]}})",
     {"spec.containers[0].name: Required value"}},
    {"NoImage",
     R"({"spec": {"containers": [{"name": "c"}]}})",
     {"spec.containers[0].image: Required value"}},
    {"ImageInSpaces",
     R"({"spec": {"containers": [{"name": "c", "image": " i"}]}})",
     {"spec.containers[0].image: Invalid value: \" i\": must not have leading or trailing "
      "whitespace"}},
    {"BadName",
     R"({"spec": {"containers": [{"name": "C", "image": "i"}]}})",
     {"spec.containers[0].name: Invalid value: \"C\": " + label_rule}},
    {"SameNames",
     R"({"spec": {"containers": [{"name": "c", "image": "i"}, {"name": "c", "image": "i"}],
                               "initContainers": [{"name": "c", "image": "i"}]}})",
     {"spec.containers[1].name: Duplicate value: \"c\"",
      "spec.initContainers[0].name: Duplicate value: \"c\""}},
    {"PullPolicy",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "imagePullPolicy": "Once"}]}})",
     {"spec.containers[0].imagePullPolicy: Unsupported value: \"Once\": supported values: "
      "\"Always\", "
      "\"IfNotPresent\", \"Never\""}},
    {"Ports",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "ports": [
         {"containerPort": 0}, {"containerPort": 70000, "name": "a--b"}, {"containerPort": 1, "name": "x"},
         {"containerPort": 2, "name": "x", "protocol": "QUIC"}]}]}})",
     {"spec.containers[0].ports[0].containerPort: Required value",
      "spec.containers[0].ports[1].name: Invalid value: \"a--b\": must not contain consecutive "
      "hyphens",
      "spec.containers[0].ports[1].containerPort: Invalid value: 70000: must be between 1 and "
      "65535, inclusive",
      "spec.containers[0].ports[3].name: Duplicate value: \"x\"",
      "spec.containers[0].ports[3].protocol: Unsupported value: \"QUIC\": supported values: "
      "\"SCTP\", \"TCP\", "
      "\"UDP\""}},
    {"HostPortTwice",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 1, "hostPort": 9},
                                                                      {"containerPort": 2, "hostPort": 9}]}]}})",
     {"spec.containers[0].ports[1].hostPort: Duplicate value: \"TCP//9\""}},
    {"EnvNames",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "env": [{"value": "v"}, {"name": "a=b"}]}]}})",
     {"spec.containers[0].env[0].name: Required value",
      "spec.containers[0].env[1].name: Invalid value: \"a=b\": a valid environment variable name "
      "must consist "
      "only of printable ASCII characters other than '='"}},
    {"EnvFromNothing",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "env": [{"name": "e", "valueFrom": {}}],
                                                    "envFrom": [{"prefix": "P"}]}]}})",
     {"spec.containers[0].env[0].valueFrom: Invalid value: \"\": must specify one of: `fieldRef`, "
      "`resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`",
      "spec.containers[0].envFrom: Invalid value: \"\": must specify one of: `configMapRef` or "
      "`secretRef`"}},
    {"EnvFromUnknownFields",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "env": [
         {"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "spec.foo"}}},
         {"name": "b", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels"}}},
         {"name": "d", "valueFrom": {"resourceFieldRef": {"resource": "limits.gpu"}}}]}]}})",
     {"spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: \"spec.foo\": error "
      "converting "
      "fieldPath: field label not supported: spec.foo",
      "spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Unsupported value: "
      "\"metadata.labels\": supported "
      "values: \"metadata.name\", \"metadata.namespace\", \"metadata.uid\", \"spec.nodeName\", "
      "\"spec.serviceAccountName\", \"status.hostIP\", \"status.hostIPs\", \"status.podIP\", "
      "\"status.podIPs\"",
      "spec.containers[0].env[2].valueFrom.resourceFieldRef.resource: Unsupported value: "
      "\"limits.gpu\": "
      "supported values: \"limits.cpu\", \"limits.ephemeral-storage\", \"limits.memory\", "
      "\"requests.cpu\", "
      "\"requests.ephemeral-storage\", \"requests.memory\""}},
    {"Mounts",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "volumeMounts": [
         {"name": "v", "mountPath": "/a"}, {"name": "v", "mountPath": "/a"}, {"name": "w", "mountPath": "/b"},
         {"name": "v", "mountPath": "/c", "subPath": "../x"}, {"name": "v"}]}]}})",
     {"spec.containers[0].volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique",
      "spec.containers[0].volumeMounts[2].name: Not found: \"w\"",
      "spec.containers[0].volumeMounts.subPath: Invalid value: \"../x\": must not contain '..'",
      "spec.containers[0].volumeMounts[4].mountPath: Required value"}},
    {"ProbeWithoutHandler",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "readinessProbe": {}}]}})",
     {"spec.containers[0].readinessProbe: Required value: must specify a handler type"}},
    {"ProbeTimes",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "livenessProbe": {
         "tcpSocket": {"port": 0}, "exec": {"command": ["a"]}, "periodSeconds": -1, "successThreshold": 2}}]}})",
     {"spec.containers[0].livenessProbe.tcpSocket: Forbidden: may not specify more than 1 handler "
      "type",
      "spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or "
      "equal to 0",
      "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1"}},
    {"ProbePorts",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "readinessProbe": {"httpGet": {"port": 0}},
         "startupProbe": {"httpGet": {"port": "UPPER"}}}]}})",
     {"spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: must be between 1 and "
      "65535, inclusive",
      "spec.containers[0].startupProbe.httpGet.port: Invalid value: \"UPPER\": must contain only "
      "alpha-numeric "
      "characters (a-z, 0-9), and hyphens (-)",
      "spec.containers[0].startupProbe.httpGet.port: Invalid value: \"UPPER\": must contain at "
      "least one letter "
      "(a-z)"}},
    {"ProbedInitContainer",
     R"({"spec": {"initContainers": [{"name": "d", "image": "i", "readinessProbe": {"tcpSocket": {"port": 1}}}]}})",
     {"spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers "
      "without "
      "restartPolicy=Always"}},
    {"LongSleep",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "lifecycle": {"preStop": {"sleep": {"seconds": 99}}}}]}})",
     {"spec.containers[0].lifecycle.preStop.sleep: Invalid value: 99: must be non-negative and "
      "less than "
      "terminationGracePeriodSeconds (30)"}},
    {"Privilege",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"runAsGroup": -3, "procMount": "X"}}]}})",
     {"spec.containers[0].securityContext.runAsGroup: Invalid value: -3: must be between 0 and "
      "2147483647, "
      "inclusive",
      "spec.containers[0].securityContext.procMount: Unsupported value: \"X\": supported values: "
      "\"Default\", "
      "\"Unmasked\""}},
};
SHED_RULES(ContainerRules, good_container, of_containers);

const Row of_resources[] = {
    {"RequestAboveLimit",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"memory": "1Gi"},
                                                                           "requests": {"memory": "2Gi"}}}]}})",
     {"spec.containers[0].resources.requests: Invalid value: \"2Gi\": must be less than or equal "
      "to memory limit "
      "of 1Gi"}},
    {"Negative",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"cpu": "-1"}}}]}})",
     {"spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": must be greater than or "
      "equal to 0"}},
    {"HalfAGpu",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"nvidia.com/gpu": "0.5"}}}]}})",
     {"spec.containers[0].resources.limits[nvidia.com/gpu]: Invalid value: \"500m\": must be an "
      "integer",
      "spec.containers[0].resources.requests[nvidia.com/gpu]: Invalid value: \"500m\": must be an "
      "integer"}},
    {"OtherGpuRequest",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"nvidia.com/gpu": 2},
                                                                           "requests": {"nvidia.com/gpu": 1}}}]}})",
     {"spec.containers[0].resources.requests: Invalid value: \"1\": must be equal to "
      "nvidia.com/gpu limit of 2"}},
    {"UnknownResource",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "resources": {"requests": {"gpu": "1"}}}]}})",
     {"spec.containers[0].resources.requests[gpu]: Invalid value: \"gpu\": must be a standard "
      "resource type or "
      "fully qualified",
      "spec.containers[0].resources.requests[gpu]: Invalid value: \"gpu\": must be a standard "
      "resource for "
      "containers"}},
    {"UnclaimedDevice",
     R"({"spec": {"containers": [{"name": "c", "image": "i", "resources": {"claims": [{"name": "d"}]}}]}})",
     {"spec.containers[0].resources.claims[0]: Not found: \"d\": must be one of the names in "
      "pod.spec.resourceClaims which is empty"}},
};
SHED_RULES(ResourceRules, good_pod, of_resources);

const Row of_volumes[] = {
    {"TwoSources",
     R"({"spec": {"volumes": [{"name": "a", "emptyDir": {}, "hostPath": {"path": "/x"}}]}})",
     {"spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type"}},
    {"SameName",
     R"({"spec": {"volumes": [{"name": "a", "emptyDir": {}}, {"name": "a", "emptyDir": {}}]}})",
     {"spec.volumes[1].name: Duplicate value: \"a\""}},
    {"NoName",
     R"({"spec": {"volumes": [{"emptyDir": {}}]}})",
     {"spec.volumes[0].name: Required value"}},
    {"NamelessSources",
     R"({"spec": {"volumes": [{"name": "a", "secret": {}}, {"name": "b", "configMap": {}},
                              {"name": "d", "persistentVolumeClaim": {}}, {"name": "e", "hostPath": {}}]}})",
     {"spec.volumes[0].secret.secretName: Required value",
      "spec.volumes[1].configMap.name: Required value",
      "spec.volumes[2].persistentVolumeClaim.claimName: Required value",
      "spec.volumes[3].hostPath.path: Required value"}},
    {"Modes",
     R"({"spec": {"volumes": [{"name": "a", "secret": {"secretName": "s", "defaultMode": 512,
                                        "items": [{"key": "k", "path": "/etc"}]}}]}})",
     {"spec.volumes[0].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777 "
      "(octal), both "
      "inclusive",
      "spec.volumes[0].secret.items[0].path: Invalid value: \"/etc\": must be a relative path"}},
    {"ProjectedTwice",
     R"({"spec": {"volumes": [{"name": "a", "projected": {"sources": [
         {"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]}},
         {"configMap": {"name": "m", "items": [{"key": "k", "path": "p"}]}}]}}]}})",
     {"spec.volumes[0].projected: Invalid value: \"m\": conflicting duplicate paths"}},
    {"ShortToken",
     R"({"spec": {"volumes": [{"name": "a", "projected": {"sources": [
         {"serviceAccountToken": {"path": "t", "expirationSeconds": 5}}]}}]}})",
     {"spec.volumes[0].projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: "
      "5: may not "
      "specify a duration less than 10 minutes"}},
    {"HostPathType",
     R"({"spec": {"volumes": [{"name": "a", "hostPath": {"path": "/a/../b", "type": "Dir"}}]}})",
     {"spec.volumes[0].hostPath.path: Invalid value: \"/a/../b\": must not contain '..'",
      "spec.volumes[0].hostPath.type: Unsupported value: \"Dir\": supported values: \"\", "
      "\"BlockDevice\", "
      "\"CharDevice\", \"Directory\", \"DirectoryOrCreate\", \"File\", \"FileOrCreate\", "
      "\"Socket\""}},
};
SHED_RULES(VolumeRules, good_pod, of_volumes);

}  // namespace
}  // namespace shed::test
