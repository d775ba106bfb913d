#include "fakes/controllers/trainjob_build.hpp"

#include "fakes/patch/patch.hpp"

#include <algorithm>
#include <cctype>

namespace shed::controllers {

namespace {

constexpr const char* ancestor_label = "trainer.kubeflow.org/trainjob-ancestor-step";

std::string ancestor_of(const Json& replicated_job) {
    const Json& labels = at_path(replicated_job, "template.metadata.labels");
    const Json& value = member(labels, ancestor_label);
    return value.is_string() ? value.get<std::string>() : "";
}

void overlay(Json& target, const Json& more, const char* name) {
    if (const Json& map = member(more, name); map.is_object())
        for (const auto& [key, value] : map.items()) target[name][key] = value;
}

// runtimePatches in order, each a strategic merge onto the JobSet's spec; the order of replicatedJobs stays.
void apply_patches(Json& job_template, const Json& trainjob) {
    const Json& patches = at_path(trainjob, "spec.runtimePatches");
    if (!patches.is_array()) return;
    for (const Json& patch : patches) {
        const Json& more = at_path(patch, "trainingRuntimeSpec.template");
        overlay(job_template["metadata"], member(more, "metadata"), "labels");
        overlay(job_template["metadata"], member(more, "metadata"), "annotations");
        if (!member(more, "spec").is_object()) continue;
        auto merged = strategic_merge_type("JobSetSpec", job_template["spec"], member(more, "spec"));
        if (merged) job_template["spec"] = std::move(*merged);
    }
}

// trainer.resourcesPerNode, key by key, into a container named node.
void merge_resources(Json& container, const Json& resources) {
    for (const char* part : {"limits", "requests"}) {
        const Json& wanted = member(resources, part);
        if (!wanted.is_object()) continue;
        for (const auto& [name, value] : wanted.items()) container["resources"][part][name] = value;
    }
}

Json plain_env(const Json& entry) {
    Json env = {{"name", string_at(entry, "name")}};
    if (const Json& from = member(entry, "valueFrom"); from.is_object()) env["valueFrom"] = from;
    else env["value"] = string_at(entry, "value");
    return env;
}

void upsert_trainer_env(Json& container, const Json& trainer) {
    const Json& env = member(trainer, "env");
    if (!env.is_array()) return;
    for (const Json& entry : env) upsert(container["env"], "name", plain_env(entry));
}

void fill_initializer(Build& build, const std::string& step, const char* field) {
    const Json& wanted = at_path(build.trainjob, std::string("spec.initializer.") + field);
    for (const PodSet& set : build.pod_sets) {
        if (set.ancestor != step) continue;
        (*build.replicated_job(set.name))["replicas"] = 1;
        Json* container = build.container(set.name, step);
        if (container == nullptr || !wanted.is_object()) continue;
        if (const std::string uri = string_at(wanted, "storageUri"); !uri.empty())
            upsert((*container)["env"], "name", {{"name", "STORAGE_URI"}, {"value", uri}});
        upsert_trainer_env(*container, wanted);
        if (member(wanted, "secretRef").is_object())
            (*container)["envFrom"].push_back({{"secretRef", member(wanted, "secretRef")}});
    }
}

bool runs_launcher_as_node(const Build& build) { return bool_at(build.policy, "mpi.runLauncherAsNode"); }

void fill_trainer(Build& build) {
    const Json& trainer = build.trainer();
    for (const PodSet& set : build.pod_sets) {
        const bool is_trainer = set.ancestor == "trainer";
        const bool is_worker = set.name == "node" && runs_launcher_as_node(build);
        if (is_trainer) (*build.replicated_job(set.name))["replicas"] = 1;
        Json* container = build.container(set.name, "node");
        if (container == nullptr || !trainer.is_object()) continue;
        if (is_trainer)
            for (const char* field : {"image", "command", "args"})
                if (!member(trainer, field).is_null()) (*container)[field] = member(trainer, field);
        if (is_trainer || is_worker) upsert_trainer_env(*container, trainer);
    }
}

void fill_resources(Build& build) {
    const Json& resources = member(build.trainer(), "resourcesPerNode");
    if (!resources.is_object()) return;
    for (const PodSet& set : build.pod_sets) {
        const bool wanted = set.ancestor == "trainer" || (set.name == "node" && runs_launcher_as_node(build));
        if (Json* container = build.container(set.name, "node"); wanted && container != nullptr)
            merge_resources(*container, resources);
    }
}

void find_pod_sets(Build& build) {
    for (const Json& job : member(build.spec, "replicatedJobs")) {
        PodSet set{string_at(job, "name"), ancestor_of(job), int_at(job, "template.spec.parallelism", 1)};
        if (set.ancestor == "trainer" && build.policy.is_object()) set.count = int_at(build.policy, "numNodes", 1);
        set.count = std::max<std::int64_t>(set.count, 1);
        build.pod_sets.push_back(set);
    }
}

bool has_policy(const Build& build, const char* name) { return member(build.policy, name).is_object(); }

}  // namespace

std::string Build::endpoint(const PodSet& set, std::int64_t pod) const {
    return name() + "-" + set.name + "-0-" + std::to_string(pod) + "." + subdomain();
}

PodSet* Build::pod_set(const std::string& set_name) {
    for (PodSet& set : pod_sets)
        if (set.name == set_name) return &set;
    return nullptr;
}

PodSet* Build::trainer_set() {
    for (PodSet& set : pod_sets)
        if (set.ancestor == "trainer") return &set;
    return nullptr;
}

Json* Build::replicated_job(const std::string& job_name) {
    for (Json& job : spec["replicatedJobs"])
        if (string_at(job, "name") == job_name) return &job;
    return nullptr;
}

Json* Build::pod_spec(const std::string& job_name) {
    Json* job = replicated_job(job_name);
    return job == nullptr ? nullptr : &(*job)["template"]["spec"]["template"]["spec"];
}

Json* Build::container(const std::string& job_name, const std::string& container_name) {
    Json* pod = pod_spec(job_name);
    if (pod == nullptr || !pod->contains("containers")) return nullptr;
    for (Json& container : (*pod)["containers"])
        if (string_at(container, "name") == container_name) return &container;
    return nullptr;
}

std::int64_t gpu_count(const Json& resources) {
    for (const char* part : {"requests", "limits"}) {
        const Json& map = member(resources, part);
        if (!map.is_object()) continue;
        for (const auto& [name, value] : map.items()) {
            std::string lower = name;
            std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
            if (lower.find("gpu") == std::string::npos) continue;
            const auto quantity = Quantity::from_json(value);
            return quantity ? quantity->value() : 0;
        }
    }
    return 0;
}

TrainJobObjects build_trainjob(const Json& trainjob, const Json& runtime) {
    TrainJobObjects result;
    result.jobset_template = at_path(runtime, "spec.template");
    apply_patches(result.jobset_template, trainjob);
    Build build{trainjob, at_path(runtime, "spec.mlPolicy"), result.jobset_template["spec"], {}};
    if (!member(build.spec, "replicatedJobs").is_array()) {
        result.error = "the runtime has no replicatedJobs";
        return result;
    }
    find_pod_sets(build);
    const Json& nodes = member(build.trainer(), "numNodes");
    fill_resources(build);
    result.mpi = has_policy(build, "mpi");
    if (PodSet* set = build.trainer_set(); set != nullptr && nodes.is_number_integer() && !result.mpi)
        set->count = std::max<std::int64_t>(nodes.get<std::int64_t>(), 1);
    if (result.mpi) apply_mpi(build, result.hostfile);
    else if (build.trainer().is_object()) apply_process_envs(build);
    for (const PodSet& set : build.pod_sets) {
        Json& job = (*build.replicated_job(set.name))["template"]["spec"];
        job["parallelism"] = job["completions"] = set.count;
    }
    fill_initializer(build, "dataset-initializer", "dataset");
    fill_initializer(build, "model-initializer", "model");
    fill_trainer(build);
    build.spec["suspend"] = bool_at(trainjob, "spec.suspend");
    result.error = build.error;
    result.jobset_template["spec"] = std::move(build.spec);
    return result;
}

}  // namespace shed::controllers
