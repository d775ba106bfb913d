// Trainer's validators of runtimes.
#include "fakes/admission/internal.hpp"

#include <map>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr const char* ancestor_label = "trainer.kubeflow.org/trainjob-ancestor-step";

// Go's struct of a container always has resources.
Json as_go(Json containers) {
    for (Json& container : containers) container.emplace("resources", Json::object());
    return containers;
}

void check_job(const Json& job, const std::string& path, FieldErrors& errors) {
    static const std::map<std::string, std::string> container_of = {
        {"trainer", "node"},
        {"model-initializer", "model-initializer"},
        {"dataset-initializer", "dataset-initializer"}};
    const std::string ancestor = member(at_path(job, "template.metadata.labels"), ancestor_label).is_string()
                                     ? at_path(job, "template.metadata.labels")[ancestor_label].get<std::string>()
                                     : "";
    const auto expected = container_of.find(ancestor);
    if (expected == container_of.end()) return;
    if (const auto replicas = int_at(job, "replicas", 1); replicas != 1)
        errors.push_back(invalid_value(path + ".replicas", replicas, "always must be 1"));
    const Json& containers = list_of(job, "template.spec.template.spec.containers");
    for (const Json& container : containers)
        if (string_at(container, "name") == expected->second) return;
    errors.push_back(invalid_value(path + ".template.spec.template.spec.containers", as_go(containers),
                                   "must contain the required container for the ancestor: " + ancestor));
}

}  // namespace

Result<void> validate_runtime(const AdmissionRequest& request, const Json& runtime,
                              std::vector<std::string>& warnings) {
    const bool cluster_wide = !request.kind->namespaced;
    const bool create = request.operation == Operation::create;
    const Json& labels = at_path(runtime, "metadata.labels");
    // The shipped runtimes opt out of their own validator.
    if (member(labels, "trainer.kubeflow.org/webhook-validation") == "disabled") return {};
    if (!create && !cluster_wide) return {};
    if (create && cluster_wide && member(labels, "trainer.kubeflow.org/support") == "deprecated")
        warnings.push_back("ClusterTrainingRuntime \"" + string_at(runtime, "metadata.name") +
                           "\" is deprecated and will be removed in a future release of Kubeflow Trainer. "
                           "See runtime deprecation policy: https://trainer.kubeflow.org/en/latest/"
                           "operator-guides/runtime.html#runtime-deprecation-policy");
    FieldErrors errors;
    const Json& jobs = list_of(runtime, "spec.template.spec.replicatedJobs");
    for (std::size_t i = 0; i < jobs.size(); ++i)
        check_job(jobs[i], item_path("spec.template.spec.replicatedJobs", i), errors);
    if (errors.empty()) return {};
    std::vector<std::string> texts;
    for (const FieldError& error : errors) texts.push_back(text_of(error));
    return denied_by(cluster_wide ? "validator.clustertrainingruntime.trainer.kubeflow.org"
                                  : "validator.trainingruntime.trainer.kubeflow.org",
                     texts);
}

}  // namespace shed::admission
