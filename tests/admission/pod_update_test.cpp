#include "rules.hpp"

namespace shed::test {
namespace {

constexpr const char* good_pod = R"({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
  "spec": {"automountServiceAccountToken": false, "activeDeadlineSeconds": 60,
           "containers": [{"name": "c", "image": "i", "imagePullPolicy": "Always"}]}})";

const std::string frozen =
    "spec: Forbidden: pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec."
    "tolerations` "
    "(only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be "
    "set to 1 if "
    "it was previously negative)\n";

const Row changes[] = {
    {"Labels", R"({"metadata": {"labels": {"a": "b"}}})"},
    {"Image",
     R"({"spec": {"containers": [{"name": "c", "image": "j", "imagePullPolicy": "Always"}]}})"},
    {"EarlierDeadline", R"({"spec": {"activeDeadlineSeconds": 30}})"},
    {"LaterDeadline",
     R"({"spec": {"activeDeadlineSeconds": 90}})",
     {"spec.activeDeadlineSeconds: Invalid value: 90: must be less than or equal to previous "
      "value"}},
    {"NoDeadline",
     R"({"spec": {"activeDeadlineSeconds": null}})",
     {"spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive integer to "
      "nil value"}},
    {"MoreContainers",
     R"({"spec": {"containers": [{"name": "c", "image": "i"}, {"name": "d", "image": "i"}]}})",
     {"spec.containers: Forbidden: pod updates may not add or remove containers"}},
    {"Subdomain",
     R"({"spec": {"subdomain": "s"}})",
     {frozen +
      "@@ -65,7 +65,7 @@\n  },\n  \"ImagePullSecrets\": null,\n  \"Hostname\": \"\",\n- "
      "\"Subdomain\": "
      "\"\",\n+ \"Subdomain\": \"s\",\n  \"SetHostnameAsFQDN\": null,\n  \"Affinity\": null,\n  "
      "\"SchedulerName\": \"default-scheduler\",\n"}},
    {"NewGate",
     R"({"spec": {"schedulingGates": [{"name": "g"}]}})",
     {"spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling "
      "gate 'g'"}},
    {"FewerTolerations",
     R"({"spec": {"tolerations": null}})",
     {"spec.tolerations: Forbidden: existing toleration can not be modified except its "
      "tolerationSeconds"}},
    // The real server goes over the labels four times in an update of a pod.
    {"LongLabel",
     R"({"metadata": {"labels": {"a": "0123456789012345678901234567890123456789012345678901234567890123"}}})",
     std::vector<std::string>(
         4,
         "metadata.labels: Invalid value: "
         "\"0123456789012345678901234567890123456789012345678901234567890123\": must be no "
         "more than 63 bytes")},
};

SHED_UPDATE_RULES(PodUpdates, good_pod, changes);

TEST(PodStatus, KeepsConditionsNamedByQualifiedNames) {
    EXPECT_THAT(complaints_about_update(
                    good_pod, R"({"status": {"conditions": [{"type": "a b", "status": "True"}]}})",
                    "status"),
                testing::ElementsAre(
                    testing::StartsWith("status.conditions[0].Type: Invalid value: \"a b\"")));
}

}  // namespace
}  // namespace shed::test
