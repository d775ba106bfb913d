// The kinds with few rules, and the rules that all kinds share.
#include "rules.hpp"

namespace shed::test {
namespace {

const std::string name_rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

constexpr const char* good_map =
    R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}})";

const Row of_metadata[] = {
    {"Name",
     R"({"metadata": {"name": "M"}})",
     {"metadata.name: Invalid value: \"M\": " + name_rule}},
    {"NoName",
     R"({"metadata": {"name": null}})",
     {"metadata.name: Required value: name or generateName is required"}},
    {"Prefix", R"({"metadata": {"generateName": "a-", "name": "a-12345"}})"},
    {"BadPrefix",
     R"({"metadata": {"generateName": "-a", "name": "a"}})",
     {"metadata.generateName: Invalid value: \"-a\": " + name_rule}},
    {"AnnotationKeyInCapitals", R"({"metadata": {"annotations": {"A.IO/b": "c d"}}})"},
    {"LabelPrefix",
     R"({"metadata": {"labels": {"/a": "b"}}})",
     {"metadata.labels: Invalid value: \"/a\": prefix part must be non-empty"}},
    {"FinalizersAtOdds",
     R"({"metadata": {"finalizers": ["orphan", "foregroundDeletion"]}})",
     {"metadata.finalizers: Invalid value: [\"orphan\",\"foregroundDeletion\"]: finalizer orphan "
      "and "
      "foregroundDeletion cannot be both set"}},
    {"OwnerWithoutVersion",
     R"({"metadata": {"ownerReferences": [{"kind": "K", "name": "n", "uid": "u"}]}})",
     {"metadata.ownerReferences.apiVersion: Invalid value: \"\": version must not be empty"}},
    {"OwnedByAnEvent",
     R"({"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "Event", "name": "n", "uid": "u"}]}})",
     {"metadata.ownerReferences: Invalid value: "
      "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"name\":\"n\",\"uid\":"
      "\"u\"}: /v1, Kind=Event is disallowed from being an owner"}},
    {"DataKey", R"({"data": {"..": "x"}})", {"data[..]: Invalid value: \"..\": must not be '..'"}},
    {"NotBase64",
     R"({"binaryData": {"k": "MQ"}})",
     {"ConfigMap in version \"v1\" cannot be handled as a ConfigMap: illegal base64 data at input "
      "byte 0"}},
};
SHED_RULES(MetadataRules, good_map, of_metadata);

TEST(Annotations, MayHoldAQuarterOfAMegabyte) {
    Json map = as_new(Json::parse(good_map));
    map["metadata"]["annotations"]["a"] = std::string(262'144, 'x');
    EXPECT_THAT(
        complaints_of(create(map, FewObjects())),
        testing::ElementsAre("metadata.annotations: Too long: may not be more than 262144 bytes"));
}

TEST(ConfigMapData, MayHoldAMegabyte) {
    Json map = as_new(Json::parse(good_map));
    map["data"]["a"] = std::string(1'048'577, 'x');
    const auto admitted = create(map, FewObjects());
    ASSERT_FALSE(admitted);
    EXPECT_EQ(admitted.error().message,
              "ConfigMap \"m\" is invalid: : Too long: may not be more than 1048576 bytes");
}

constexpr const char* good_secret =
    R"({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
  "data": {"k": "MQ=="}, "immutable": true})";

const Row of_secrets[] = {
    {"Good", R"({})"},
    {"NoPrivateKey",
     R"({"type": "kubernetes.io/ssh-auth"})",
     {"data[ssh-privatekey]: Required value"}},
    {"NoUser",
     R"({"type": "kubernetes.io/basic-auth"})",
     {"data[username]: Required value", "data[password]: Required value"}},
    {"NoCertificate",
     R"({"type": "kubernetes.io/tls", "data": {"tls.key": "MQ=="}})",
     {"data[tls.crt]: Required value"}},
    {"NoAccount",
     R"({"type": "kubernetes.io/service-account-token"})",
     {"metadata.annotations[kubernetes.io/service-account.name]: Required value"}},
    {"DockerConfigOfANumber",
     R"({"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "MQ=="}})",
     {"data[.dockerconfigjson]: Invalid value: \"<secret contents redacted>\": json: cannot "
      "unmarshal number into Go "
      "value of type map[string]interface {}"}},
    {"StringDataKey",
     R"({"stringData": {"a b": "x"}})",
     {"data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric "
      "characters, '-', '_' or '.' "
      "(e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is "
      "'[-._a-zA-Z0-9]+')"}},
};
SHED_RULES(SecretRules, good_secret, of_secrets);

const Row of_secret_changes[] = {
    {"Labels", R"({"metadata": {"labels": {"a": "b"}}})"},
    {"Data",
     R"({"data": {"k": "Mg=="}})",
     {"data: Forbidden: field is immutable when `immutable` is set"}},
    {"Mutable",
     R"({"immutable": null})",
     {"immutable: Forbidden: field is immutable when `immutable` is set"}},
    {"Type", R"({"type": "a.io/b"})", {"type: Invalid value: \"a.io/b\": field is immutable"}},
};
SHED_UPDATE_RULES(SecretUpdates, good_secret, of_secret_changes);

constexpr const char* good_claim =
    R"({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"},
  "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}})";

const Row of_claims[] = {
    {"NoModes",
     R"({"spec": {"accessModes": null}})",
     {"spec.accessModes: Required value: at least 1 access mode is required"}},
    {"NoStorage", R"({"spec": {"resources": null}})", {"spec.resources[storage]: Required value"}},
    {"NothingStored",
     R"({"spec": {"resources": {"requests": {"storage": "0"}}}})",
     {"spec.resources[storage]: Invalid value: \"0\": must be greater than zero"}},
    {"Exclusive",
     R"({"spec": {"accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]}})",
     {"spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"}},
};
SHED_RULES(ClaimRules, good_claim, of_claims);

const Row of_claim_changes[] = {
    {"Class", R"({"spec": {"storageClassName": "fast"}})"},
    {"Modes",
     R"({"spec": {"accessModes": ["ReadWriteMany"]}})",
     {"spec: Forbidden: spec is immutable after creation except resources.requests and "
      "volumeAttributesClassName for "
      "bound claims\n@@ -1,6 +1,6 @@\n {\n  \"AccessModes\": [\n-  \"ReadWriteOnce\"\n+  "
      "\"ReadWriteMany\"\n  ],\n  "
      "\"Selector\": null,\n  \"Resources\": {\n"}},
};
SHED_UPDATE_RULES(ClaimUpdates, good_claim, of_claim_changes);

struct OtherRow {
    const char* name;
    const char* object;
    std::vector<std::string> complaints;
};

const OtherRow others[] = {
    {"Lease",
     R"({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "l"},
                  "spec": {"leaseTransitions": -1}})",
     {"spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0"}},
    {"PriorityClass",
     R"({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "p"},
                          "value": 1000000001})",
     {"value: Forbidden: maximum allowed value of a user defined priority is 1000000000"}},
    {"SystemClass",
     R"({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "system-x"},
                        "value": 1})",
     {"metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for "
      "system use only. error: "
      "system-x is not a known system priority class"}},
    {"Node",
     R"({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": {"taints": [
                 {"key": "a", "effect": "NoSchedule"}, {"key": "a", "effect": "NoSchedule"}, {"key": "b"}]},
                 "status": {"capacity": {"cpu": "-1"}}})",
     {"metadata.taints[1]: Duplicate value: "
      "{\"Key\":\"a\",\"Value\":\"\",\"Effect\":\"NoSchedule\",\"TimeAdded\":null}: "
      "taints must be unique by key and effect pair",
      "metadata.taints[2].effect: Required value",
      "status.capacity.cpu: Invalid value: \"-1\": must be greater than or equal to 0",
      "status.allocatable.cpu: Invalid value: \"-1\": must be greater than or equal to 0"}},
    {"NewEvent",
     R"({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "Any Name"}, "eventTime":
                     "2026-11-23T06:05:46.000000Z", "involvedObject": {"namespace": "default"}, "reason": "R",
                     "reportingComponent": "a.io/b", "reportingInstance": "i"})",
     {"action: Required value"}},
    {"Deployment",
     R"({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": -1,
                       "selector": {"matchLabels": {"a": "b"}}, "template": {"spec": {"containers": [
                       {"name": "c", "image": "i"}]}}}})",
     {"spec.replicas: Invalid value: -1: must be greater than or equal to 0",
      "spec.template.metadata.labels: Invalid value: null: `selector` does not match template "
      "`labels`"}},
    {"NamespacedRole",
     R"({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "a:b/c"}})",
     {"metadata.name: Invalid value: \"a:b/c\": may not contain '/'"}},
};

class OtherKinds : public testing::TestWithParam<OtherRow> {};

TEST_P(OtherKinds, HaveTheirRules) {
    Json object = as_new(Json::parse(GetParam().object));
    EXPECT_THAT(complaints_of(create(object, FewObjects())),
                testing::ElementsAreArray(GetParam().complaints));
}

INSTANTIATE_TEST_SUITE_P(, OtherKinds, testing::ValuesIn(others),
                         [](const auto& row) { return std::string(row.param.name); });

struct WrongType {
    const char* name;
    const char* object;
    const char* problem;
};

const WrongType wrong_types[] = {
    {"StringForInteger",
     R"({"apiVersion": "v1", "kind": "Pod", "spec": {"terminationGracePeriodSeconds": "3"}})",
     "json: cannot unmarshal string into Go struct field "
     "PodSpec.spec.terminationGracePeriodSeconds of type int64"},
    {"FractionForInteger",
     R"({"apiVersion": "batch/v1", "kind": "Job", "spec": {"parallelism": 1.5}})",
     "json: cannot unmarshal number 1.5 into Go struct field JobSpec.spec.parallelism of type "
     "int32"},
    {"ObjectForList", R"({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": {}}})",
     "json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type "
     "[]v1.Container"},
    {"NumberInList",
     R"({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "args": ["a", 1]}]}})",
     "json: cannot unmarshal number into Go struct field Container.spec.containers.args of type "
     "string"},
    {"ListForMap", R"({"apiVersion": "v1", "kind": "ConfigMap", "data": []})",
     "json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string"},
    {"NoQuantity",
     R"({"apiVersion": "v1", "kind": "Node", "status": {"capacity": {"cpu": "much"}}})",
     "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"},
    {"NoSuchSuffix",
     R"({"apiVersion": "v1", "kind": "Node", "status": {"capacity": {"cpu": "1ki"}}})",
     "unable to parse quantity's suffix"},
    {"NoTime", R"({"apiVersion": "v1", "kind": "Event", "firstTimestamp": "noon"})",
     "parsing time \"noon\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"noon\" as \"2006\""},
};

class WrongTypes : public testing::TestWithParam<WrongType> {};

TEST_P(WrongTypes, AreRefusedInTheWordsOfGo) {
    Json object = Json::parse(GetParam().object);
    object["metadata"]["name"] = "x";
    const Kind& kind = kind_of_object(object);
    const auto admitted = create(object, FewObjects());
    ASSERT_FALSE(admitted);
    EXPECT_EQ(admitted.error().reason, Reason::bad_request);
    EXPECT_EQ(admitted.error().message, std::string(kind.kind) +
                                            " in version \"v1\" cannot be handled as a " +
                                            std::string(kind.kind) + ": " + GetParam().problem);
}

INSTANTIATE_TEST_SUITE_P(, WrongTypes, testing::ValuesIn(wrong_types),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace shed::test
