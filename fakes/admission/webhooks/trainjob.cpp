// Trainer's webhooks for TrainJobs (kubeflow/trainer pkg/webhooks and the JobSet plugin's Validate).
#include "fakes/admission/internal.hpp"

#include <nlohmann/json.hpp>
#include <map>
#include <set>

namespace shed::admission {

namespace {

constexpr std::string_view validator = "validator.trainjob.trainer.kubeflow.org";
constexpr std::string_view deprecation =
    "is deprecated and will be removed in a future release of Kubeflow Trainer. See runtime deprecation "
    "policy: https://trainer.kubeflow.org/en/latest/operator-guides/"
    "runtime.html#runtime-deprecation-policy";

Json without_time(Json patch) {
    patch.erase("time");
    return patch;
}

}  // namespace

void default_trainjob(const AdmissionRequest& request, Json& trainjob) {
    std::map<std::string, const Json*> before;
    if (request.old_object != nullptr)
        for (const Json& patch : list_of(*request.old_object, "spec.runtimePatches"))
            before[string_at(patch, "manager")] = &patch;
    const std::string now = format_time(request.now);
    bool changed = false;
    for_each_at(trainjob, "spec.runtimePatches[*]", [&](Json& patch) {
        const auto old = before.find(string_at(patch, "manager"));
        const Json sent = member(patch, "time");
        if (old == before.end()) {
            if (sent.is_null()) patch["time"] = now;
        } else if (without_time(patch) != without_time(*old->second)) {
            patch["time"] = now;
        } else {
            const Json& time = member(*old->second, "time");
            if (time.is_null()) patch.erase("time");
            else patch["time"] = time;
        }
        changed = changed || member(patch, "time") != sent;
    });
    if (!changed) return;
    // A webhook that changed something answers with the whole Go struct, in which quantities are strings.
    for (const char* path : {"limits", "requests"})
        for_each_at(trainjob, std::string("spec.trainer.resourcesPerNode.") + path, [](Json& list) {
            for (Json& value : list) canonical_quantities(value);
        });
}

namespace {

std::string shown_reference(const Json& reference) { return go_json(reference); }

struct InitializerRule {
    const char *member, *job, *config;
};
constexpr InitializerRule initializers[] = {
    {"dataset", "dataset-initializer", "datasetConfig"},
    {"model", "model-initializer", "modelConfig"},
};

const Json& named(const Json& list, std::string_view name) {
    static const Json none;
    for (const Json& item : list)
        if (string_at(item, "name") == name) return item;
    return none;
}

const Json& pod_spec_of(const Json& job) { return at_path(job, "template.spec.template.spec"); }

bool has_container(const Json& job, std::string_view name) {
    return !named(list_of(pod_spec_of(job), "containers"), name).is_null() ||
           !named(list_of(pod_spec_of(job), "initContainers"), name).is_null();
}

std::string initializer_problem(const InitializerRule& rule, const Json& jobs) {
    const std::string name = rule.job;
    const Json& job = named(jobs, name);
    if (job.is_null())
        return "must have " + name + " job when trainJob is configured with input " + rule.config;
    if (!has_container(job, name)) return "must have container with name - " + name + " in the " + name + " job";
    const Json& container = named(list_of(pod_spec_of(job), "containers"), name);
    if (named(list_of(container, "volumeMounts"), "initializer").is_null())
        return "must have volumeMount with name - initializer in container " + name + " of the " + name + " job";
    return "";
}

void check_initializers(const Json& trainjob, const Json& jobs, FieldErrors& errors) {
    for (const InitializerRule& rule : initializers) {
        if (member(at_path(trainjob, "spec.initializer"), rule.member).is_null()) continue;
        const std::string problem = initializer_problem(rule, jobs);
        if (!problem.empty())
            errors.push_back(invalid_text("spec.runtimeRef",
                                          shown_reference(at_path(trainjob, "spec.runtimeRef")), problem));
    }
}

void check_patch_changes(const AdmissionRequest& request, const Json& trainjob, const ClusterView& cluster,
                         FieldErrors& errors) {
    if (request.old_object == nullptr) return;
    const Json& old = *request.old_object;
    if (list_of(old, "spec.runtimePatches") == list_of(trainjob, "spec.runtimePatches")) return;
    if (!bool_at(old, "spec.suspend") && !bool_at(trainjob, "spec.suspend")) {
        errors.push_back(forbidden("spec.runtimePatches",
                                   "RuntimePatches can only be modified when the TrainJob is suspended "
                                   "before or after the update"));
        return;
    }
    static const Kind& jobsets = kind_of("jobset.x-k8s.io/v1alpha2", "JobSet");
    const ObjectPtr jobset = cluster.find(
        {&jobsets, string_at(trainjob, "metadata.namespace"), string_at(trainjob, "metadata.name")});
    if (!jobset) return;
    for (const Json& status : list_of(jobset->dom(), "status.replicatedJobsStatus"))
        if (int_at(status, "active") > 0)
            errors.push_back(forbidden("spec.runtimePatches",
                                       "RuntimePatches cannot be modified when the JobSet's ReplicatedJob " +
                                           string_at(status, "name") + " is still active"));
}

// The validator sees the runtime with the patches merged in, so that what a patch adds always exists; only the
// environment of Trainer's own containers is left to refuse.
void check_patches(const Json& trainjob, FieldErrors& errors) {
    static const std::set<std::string> owned = {"dataset-initializer", "model-initializer", "node"};
    const Json& patches = list_of(trainjob, "spec.runtimePatches");
    for (const Json& patch : patches) {
        const std::string manager = string_at(patch, "manager");
        if (!is_domain_prefixed_path(manager))
            errors.push_back(invalid_value("spec.runtimePatches.manager", manager,
                                           "must be a domain-prefixed path (such as \"acme.io/foo\")"));
        for (const Json& job : list_of(patch, "trainingRuntimeSpec.template.spec.replicatedJobs"))
            for (const Json& container : list_of(pod_spec_of(job), "containers"))
                if (owned.contains(string_at(container, "name")) && !list_of(container, "env").empty())
                    errors.push_back(invalid_value("spec.runtimePatches", patches,
                                                   "must not have envs for the dataset-initializer, "
                                                   "model-initializer, node containers"));
    }
}

Error refused(const FieldErrors& errors) {
    std::vector<std::string> texts;
    for (const FieldError& error : errors) texts.push_back(text_of(error));
    return denied_by(validator, texts);
}

Error missing_runtime(const Json& reference, bool cluster_wide) {
    const std::string kind = string_at(reference, "kind");
    const std::string why = kind + ".trainer.kubeflow.org \"" + string_at(reference, "name") +
                            "\" not found: specified " +
                            (cluster_wide ? "clusterTrainingRuntime" : "trainingRuntime") +
                            " must be created before the TrainJob is created";
    return refused({invalid_text(cluster_wide ? "spec.RuntimeRef" : "spec.runtimeRef",
                                 shown_reference(reference), why)});
}

}  // namespace

Error denied_by(std::string_view webhook, const std::vector<std::string>& texts) {
    return {Reason::forbidden,
            "admission webhook \"" + std::string(webhook) + "\" denied the request: " + aggregate(texts)};
}

Result<void> validate_trainjob(const AdmissionRequest& request, const Json& trainjob,
                               const ClusterView& cluster, std::vector<std::string>& warnings) {
    const Json& reference = at_path(trainjob, "spec.runtimeRef");
    const std::string kind = string_at(reference, "kind");
    const std::string group = string_at(reference, "apiGroup");
    const bool cluster_wide = kind == "ClusterTrainingRuntime";
    if (group != "trainer.kubeflow.org" || (!cluster_wide && kind != "TrainingRuntime"))
        return denied_by(validator,
                         {"unsupported runtime: " + kind + (group.empty() ? "" : "." + group)});
    const Kind& runtime_kind = kind_of("trainer.kubeflow.org/v1alpha1", kind);
    const std::string ns = cluster_wide ? "" : string_at(trainjob, "metadata.namespace");
    const ObjectPtr runtime = cluster.find({&runtime_kind, ns, string_at(reference, "name")});
    if (!runtime) return missing_runtime(reference, cluster_wide);
    if (cluster_wide && runtime->label("trainer.kubeflow.org/support") == "deprecated")
        warnings.push_back("Referenced ClusterTrainingRuntime \"" + runtime->name() + "\" " +
                           std::string(deprecation));
    const Json& spec = member(runtime->dom(), "spec");
    FieldErrors errors = validate_ml_policy(spec, trainjob);
    check_initializers(trainjob, list_of(spec, "template.spec.replicatedJobs"), errors);
    check_patch_changes(request, trainjob, cluster, errors);
    check_patches(trainjob, errors);
    if (errors.empty()) return {};
    return refused(errors);
}

}  // namespace shed::admission
