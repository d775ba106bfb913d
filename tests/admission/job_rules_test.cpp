#include "rules.hpp"

namespace shed::test {
namespace {

constexpr const char* good_job =
    R"({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"},
  "spec": {"completions": 2, "parallelism": 2, "completionMode": "Indexed", "suspend": true,
           "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}})";

const std::string bad_label =
    "Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric "
    "characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex "
    "used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

const Row of_jobs[] = {
    {"Good", R"({})"},
    {"NegativeCounts",
     R"({"spec": {"parallelism": -1, "activeDeadlineSeconds": -2, "backoffLimit": -3, "ttlSecondsAfterFinished": -4}})",
     {"spec.parallelism: Invalid value: -1: must be greater than or equal to 0",
      "spec.activeDeadlineSeconds: Invalid value: -2: must be greater than or equal to 0",
      "spec.backoffLimit: Invalid value: -3: must be greater than or equal to 0",
      "spec.ttlSecondsAfterFinished: Invalid value: -4: must be greater than or equal to 0"}},
    {"InTheTemplate",
     R"({"spec": {"template": {"metadata": {"labels": {"a": "-"}},
                               "spec": {"containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/"}]}]}}}})",
     // A Job without labels takes those of its template.
     {"metadata.labels: " + bad_label, "spec.template.labels: " + bad_label,
      "spec.template.spec.containers[0].image: Required value",
      "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"v\""}},
    {"RestartPolicy",
     R"({"spec": {"template": {"spec": {"restartPolicy": "Once"}}}})",
     {"spec.template.spec.restartPolicy: Unsupported value: \"Once\": supported values: "
      "\"Always\", \"OnFailure\", "
      "\"Never\"",
      "spec.template.spec.restartPolicy: Unsupported value: \"Once\": supported values: "
      "\"OnFailure\", "
      "\"Never\""}},
    {"CompletionMode",
     R"({"spec": {"completionMode": "Some"}})",
     {"spec.completionMode: Unsupported value: \"Some\": supported values: \"NonIndexed\", "
      "\"Indexed\""}},
    {"IndexedWithoutCompletions",
     R"({"spec": {"completions": null}})",
     {"spec.completions: Required value: when completion mode is Indexed"}},
    {"TooManyAtATime",
     R"({"spec": {"completions": 200000, "parallelism": 100001}})",
     {"spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when "
      "completion mode is "
      "Indexed"}},
    {"MaxFailedAlone",
     R"({"spec": {"maxFailedIndexes": 3}})",
     {"spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified",
      "spec.maxFailedIndexes: Invalid value: 3: must be less than or equal to completions"}},
    {"ManagedBy",
     R"({"spec": {"managedBy": "me"}})",
     {"spec.managedBy: Invalid value: \"me\": must be a domain-prefixed path (such as "
      "\"acme.io/foo\")"}},
    {"ReplacementWithFailurePolicy",
     R"({"spec": {"podReplacementPolicy": "TerminatingOrFailed", "podFailurePolicy": {"rules": []}}})",
     {"spec.podReplacementPolicy: Unsupported value: \"TerminatingOrFailed\": supported values: "
      "\"Failed\""}},
    {"FailurePolicy",
     R"({"spec": {"podFailurePolicy": {"rules": [
         {"action": "Give up", "onExitCodes": {"operator": "In", "values": [3, 2, 2], "containerName": "d"}},
         {"action": "FailIndex", "onPodConditions": [{"type": "DisruptionTarget", "status": "Perhaps"}]},
         {"action": "Ignore"}]}}})",
     {"spec.podFailurePolicy.rules[0].action: Unsupported value: \"Give up\": supported values: "
      "\"Count\", "
      "\"FailIndex\", \"FailJob\", \"Ignore\"",
      "spec.podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: \"d\": must be one "
      "of the "
      "container or initContainer names in the pod template",
      "spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2",
      "spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [3,2,2]: must be ordered",
      "spec.podFailurePolicy.rules[1].action: Invalid value: \"FailIndex\": requires the "
      "backoffLimitPerIndex to be "
      "set",
      "spec.podFailurePolicy.rules[1].onPodConditions[0].status: Unsupported value: \"Perhaps\": "
      "supported values: "
      "\"False\", \"True\", \"Unknown\"",
      "spec.podFailurePolicy.rules[2]: Invalid value: specifying one of OnExitCodes and "
      "OnPodConditions is "
      "required"}},
    {"SuccessPolicy",
     R"({"spec": {"successPolicy": {"rules": [{}, {"succeededCount": 3}, {"succeededIndexes": "0-5"},
                                              {"succeededIndexes": "1,0"},
                                              {"succeededIndexes": "0", "succeededCount": 2}]}}})",
     {"spec.successPolicy.rules[0]: Required value: at least one of succeededCount or "
      "succeededIndexes must be "
      "specified",
      "spec.successPolicy.rules[1].succeededCount: Invalid value: 3: must be less than or equal to "
      "2 (the number of "
      "specified completions)",
      "spec.successPolicy.rules[2].succeededIndexes: Invalid value: \"0-5\": error parsing "
      "succeededIndexes: too "
      "large index: \"5\"",
      "spec.successPolicy.rules[3].succeededIndexes: Invalid value: \"1,0\": error parsing "
      "succeededIndexes: "
      "non-increasing order, previous: 1, current: 0",
      "spec.successPolicy.rules[4].succeededCount: Invalid value: 2: must be less than or equal to "
      "1 (the number of "
      "indexes in the specified succeededIndexes field)"}},
    {"NoSuccessRules",
     R"({"spec": {"successPolicy": {}}})",
     {"spec.successPolicy.rules: Required value: at least one rules must be specified when the "
      "successPolicy is "
      "specified"}},
    {"OthersLabels",
     R"({"spec": {"template": {"metadata": {"labels": {"job-name": "other"}}}}})",
     {"spec.template.metadata.labels[job-name]: Invalid value: "
      "{\"batch.kubernetes.io/controller-uid\":\"u-1\",\"batch.kubernetes.io/job-name\":\"j\","
      "\"controller-uid\":\"u-1\",\"job-name\":\"other\"}: must be 'j'"}},
    {"ManualWithoutSelector",
     R"({"spec": {"manualSelector": true}})",
     {"spec.selector: Required value",
      "spec.template.metadata.labels: Invalid value: null: `selector` does not match template "
      "`labels`"}},
    {"NameNotForHosts",
     R"({"metadata": {"name": "j.1"}})",
     {"metadata.name: Invalid value: \"j.1\": will not able to create pod with invalid DNS label: "
      "j.1-1"}},
};
SHED_RULES(JobRules, good_job, of_jobs);

const Row changes[] = {
    {"Resumed", R"({"spec": {"suspend": false}})"},
    {"GrownInTandem", R"({"spec": {"completions": 3, "parallelism": 3}})"},
    {"GrownAlone",
     R"({"spec": {"completions": 3}})",
     {"spec.completions: Invalid value: 3: can only be modified in tandem with spec.parallelism"}},
    {"BackoffLimit", R"({"spec": {"backoffLimit": 1}})"},
    {"CompletionMode",
     R"({"spec": {"completionMode": "NonIndexed"}})",
     {"spec.completionMode: Invalid value: \"NonIndexed\": field is immutable"}},
    {"BackoffLimitPerIndex",
     R"({"spec": {"backoffLimitPerIndex": 1}})",
     {"spec.backoffLimitPerIndex: Invalid value: 1: field is immutable"}},
    {"ManagedBy",
     R"({"spec": {"managedBy": "a.io/b"}})",
     {"spec.managedBy: Invalid value: \"a.io/b\": field is immutable"}},
    {"NodesWhileSuspended",
     R"({"spec": {"template": {"spec": {"nodeSelector": {"a": "b"}, "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}}}}}})"},
    {"ResourcesWhileSuspended",
     R"({"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}},
        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File", "imagePullPolicy": "Always"}]}}}})"},
    {"PodFailurePolicy",
     R"({"spec": {"podFailurePolicy": {"rules": [
        {"action": "Ignore", "onExitCodes": {"operator": "In", "values": [1]}}]}, "podReplacementPolicy": "Failed"}})",
     {"spec.podFailurePolicy: Invalid value: "
      "{\"Rules\":[{\"Action\":\"Ignore\",\"OnExitCodes\":{\"ContainerName\":"
      "null,\"Operator\":\"In\",\"Values\":[1]},\"OnPodConditions\":null}]}: field is immutable"}},
};
SHED_UPDATE_RULES(JobUpdates, good_job, changes);

TEST(JobTemplate, MayNotChangeOnceItsPodsRun) {
    Json old = as_new(Json::parse(good_job));
    ASSERT_TRUE(create(old, FewObjects()));
    old["spec"]["suspend"] = false;
    Json changed = old;
    changed["spec"]["template"]["spec"]["nodeSelector"]["a"] = "b";
    const auto complaints = complaints_of(update(changed, old, FewObjects()));
    ASSERT_EQ(complaints.size(), 1u);
    EXPECT_THAT(complaints[0], testing::StartsWith("spec.template: Invalid value: {\"labels\":{"));
    EXPECT_THAT(complaints[0], testing::HasSubstr("\"NodeSelector\":{\"a\":\"b\"}"));
    EXPECT_THAT(complaints[0], testing::EndsWith(": field is immutable"));
}

constexpr const char* good_cron_job =
    R"({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "c"},
  "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {
           "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}}}}})";

const Row of_cron_jobs[] = {
    {"Good", R"({})"},
    {"NoSchedule", R"({"spec": {"schedule": null}})", {"spec.schedule: Required value"}},
    {"Policy",
     R"({"spec": {"concurrencyPolicy": "Both"}})",
     {"spec.concurrencyPolicy: Unsupported value: \"Both\": supported values: \"Allow\", "
      "\"Forbid\", \"Replace\""}},
    {"LongName",
     R"({"metadata": {"name": "c012345678901234567890123456789012345678901234567890"}})",
     {}},
    {"LongerName",
     R"({"metadata": {"name": "c01234567890123456789012345678901234567890123456789012"}})",
     {"metadata.name: Invalid value: \"c01234567890123456789012345678901234567890123456789012\": "
      "must be no more than "
      "52 characters"}},
    {"JobTemplate",
     R"({"spec": {"jobTemplate": {"spec": {"parallelism": -1}}}})",
     {"spec.jobTemplate.spec.parallelism: Invalid value: -1: must be greater than or equal to 0"}},
};
SHED_RULES(CronJobRules, good_cron_job, of_cron_jobs);

}  // namespace
}  // namespace shed::test
