#include "fakes/controllers/trainjob_build.hpp"

#include "fakes/patch/patch.hpp"

#include <algorithm>
#include <cctype>

namespace shed::controllers {

namespace {

constexpr const char* ancestor_label = "trainer.kubeflow.org/trainjob-ancestor-step";

std::string ancestor_of(const Json& replicated_job) {
    const Json& value = member(at_path(replicated_job, "template.metadata.labels"), ancestor_label);
    return value.is_string() ? value.get<std::string>() : "";
}

void overlay(Json& target, const Json& more, const char* name) {
    if (const Json& map = member(more, name); map.is_object())
        for (const auto& [key, value] : map.items()) target[name][key] = value;
}

std::map<std::string, std::size_t> order_of(const Json& replicated_jobs) {
    std::map<std::string, std::size_t> order;
    if (replicated_jobs.is_array())
        for (const Json& job : replicated_jobs) order.emplace(string_at(job, "name"), order.size());
    return order;
}

// runtimePatches in order, each a strategic merge onto the JobSet's spec; the order of replicatedJobs stays.
void apply_patches(Json& job_template, const Json& trainjob) {
    const Json& patches = at_path(trainjob, "spec.runtimePatches");
    if (!patches.is_array()) return;
    auto order = order_of(at_path(job_template, "spec.replicatedJobs"));
    for (const Json& patch : patches) {
        const Json& more = at_path(patch, "trainingRuntimeSpec.template");
        overlay(job_template["metadata"], member(more, "metadata"), "labels");
        overlay(job_template["metadata"], member(more, "metadata"), "annotations");
        if (!member(more, "spec").is_object()) continue;
        auto merged = strategic_merge_type("JobSetSpec", job_template["spec"], member(more, "spec"));
        if (merged) job_template["spec"] = std::move(*merged);
    }
    Json& jobs = job_template["spec"]["replicatedJobs"];
    if (jobs.is_array())
        std::stable_sort(jobs.begin(), jobs.end(), [&](const Json& a, const Json& b) {
            return order[string_at(a, "name")] < order[string_at(b, "name")];
        });
}

// trainer.resourcesPerNode, key by key, so that a runtime's cpu stays when a TrainJob asks for a GPU.
void merge_resources(Json& container, const Json& resources) {
    for (const char* part : {"limits", "requests"}) {
        const Json& wanted = member(resources, part);
        if (!wanted.is_object()) continue;
        for (const auto& [name, value] : wanted.items()) container["resources"][part][name] = value;
    }
}

void fill_resources(Build& build) {
    const Json& resources = member(build.trainer(), "resourcesPerNode");
    if (!resources.is_object()) return;
    for (const PodSet& set : build.pod_sets) {
        const bool is_trainer = set.ancestor == "trainer" && build.policy().is_object();
        const bool is_worker = set.name == "node" && build.runs_launcher_as_node();
        Json* container = build.container(set.name, "node");
        if ((is_trainer || is_worker) && container != nullptr) merge_resources(*container, resources);
    }
}

void find_pod_sets(Build& build) {
    for (const Json& job : member(build.spec, "replicatedJobs")) {
        PodSet set{string_at(job, "name"), ancestor_of(job), int_at(job, "template.spec.parallelism", 1),
                   int_at(job, "replicas", 1)};
        if (set.ancestor == "trainer" && build.policy().is_object())
            set.count = int_at(build.policy(), "numNodes", 1);
        set.count = std::max<std::int64_t>(set.count, 1);
        build.pod_sets.push_back(set);
    }
}

void apply_policies(Build& build) {
    if (build.has_policy("torch")) apply_torch(build);
    if (build.has_policy("jax")) apply_jax(build);
    if (build.has_policy("xgboost")) apply_xgboost(build);
    if (build.has_policy("mpi")) apply_mpi(build);
    else if (!build.has_policy("torch") && !build.has_policy("jax")) apply_plain(build);
}

void fill_counts(Build& build) {
    for (const PodSet& set : build.pod_sets) {
        Json& job = (*build.replicated_job(set.name))["template"]["spec"];
        job["parallelism"] = job["completions"] = set.count;
    }
}

void fill_initializer(Build& build, const std::string& step, const char* field) {
    const Json& wanted = at_path(build.trainjob, std::string("spec.initializer.") + field);
    for (const PodSet& set : build.pod_sets) {
        if (set.ancestor != step) continue;
        (*build.replicated_job(set.name))["replicas"] = 1;
        Json* container = build.container(set.name, step);
        if (container == nullptr || !wanted.is_object()) continue;
        if (const Json& uri = member(wanted, "storageUri"); uri.is_string())
            add_value(*container, "STORAGE_URI", uri.get<std::string>());
        add_trainer_env(*container, member(wanted, "env"));
        if (const Json& secret = at_path(wanted, "secretRef.name"); secret.is_string())
            (*container)["envFrom"].push_back({{"secretRef", {{"name", secret}}}});
    }
}

void fill_trainer(Build& build) {
    const Json& trainer = build.trainer();
    for (const PodSet& set : build.pod_sets) {
        const bool is_trainer = set.ancestor == "trainer";
        const bool is_worker = set.name == "node" && build.runs_launcher_as_node();
        if (is_trainer) (*build.replicated_job(set.name))["replicas"] = 1;
        Json* container = build.container(set.name, "node");
        if (container == nullptr || !trainer.is_object()) continue;
        if (is_trainer) {
            for (const char* field : {"image", "command", "args"})
                if (!member(trainer, field).is_null()) (*container)[field] = member(trainer, field);
            if (!build.command.is_null()) (*container)["command"] = build.command;
        }
        if (is_trainer || is_worker) add_trainer_env(*container, member(trainer, "env"));
    }
}

}  // namespace

std::optional<std::int64_t> Build::nodes_asked() const {
    const Json& nodes = member(trainer(), "numNodes");
    return nodes.is_number_integer() ? std::optional(nodes.get<std::int64_t>()) : std::nullopt;
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

Json* Build::container(const std::string& job_name, const std::string& container_name, bool init) {
    Json* pod = pod_spec(job_name);
    if (pod == nullptr) return nullptr;
    for (const char* list : {"containers", "initContainers"}) {
        if (!pod->contains(list) || (list == std::string_view("initContainers") && !init)) continue;
        for (Json& each : (*pod)[list])
            if (string_at(each, "name") == container_name) return &each;
    }
    return nullptr;
}

Json* Build::trainer_container() {
    const PodSet* set = trainer_set();
    return set == nullptr ? nullptr : container(set->name, "node");
}

const Json& Build::resources_per_node() {
    static const Json none;
    if (const Json& own = member(trainer(), "resourcesPerNode"); own.is_object()) return own;
    for (const PodSet& set : pod_sets) {
        if (set.name != "node" && set.ancestor != "trainer") continue;
        const Json* node = container(set.name, "node");
        if (node != nullptr && member(*node, "resources").is_object()) return member(*node, "resources");
    }
    return none;
}

std::int64_t gpu_count(const Json& resources) {
    for (const char* part : {"requests", "limits"}) {
        const Json& map = member(resources, part);
        if (!map.is_object()) continue;
        for (const auto& [name, value] : map.items()) {
            std::string lower = name;
            std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
            const auto quantity = Quantity::from_json(value);
            if (lower.find("gpu") != std::string::npos && quantity && quantity->value() > 0) return quantity->value();
        }
    }
    return 0;
}

void add_env(Json& container, Json variable) { upsert(container["env"], "name", std::move(variable)); }

void add_value(Json& container, const std::string& name, const std::string& value) {
    add_env(container, {{"name", name}, {"value", value}});
}

void add_completion_index(Json& container, const std::string& name) {
    static const Json source = {
        {"fieldRef", {{"fieldPath", "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}}};
    add_env(container, {{"name", name}, {"valueFrom", source}});
}

void add_trainer_env(Json& container, const Json& env) {
    if (!env.is_array()) return;
    for (const Json& entry : env) {
        Json variable = {{"name", string_at(entry, "name")}};
        const Json& from = member(entry, "valueFrom");
        if (from.is_object()) variable["valueFrom"] = from;
        else variable["value"] = string_at(entry, "value");
        add_env(container, std::move(variable));
    }
}

// Two ports are the same when their number or their name is; unnamed ports all have the same name.
void add_port(Json& container, int port) {
    Json& ports = container["ports"];
    if (!ports.is_array()) ports = Json::array();
    for (Json& known : ports) {
        if (int_at(known, "containerPort") != port && !string_at(known, "name").empty()) continue;
        known = {{"containerPort", port}};
        return;
    }
    ports.push_back({{"containerPort", port}});
}

TrainJobObjects build_trainjob(const Json& trainjob, const Json& runtime) {
    TrainJobObjects result;
    result.jobset_template = at_path(runtime, "spec.template");
    apply_patches(result.jobset_template, trainjob);
    Build build{trainjob, member(runtime, "spec"), result.jobset_template["spec"]};
    if (const Json& own = at_path(result.jobset_template, "metadata.annotations"); own.is_object())
        build.annotations = own;
    if (!member(build.spec, "replicatedJobs").is_array()) build.spec["replicatedJobs"] = Json::array();
    find_pod_sets(build);
    fill_resources(build);
    apply_policies(build);
    join_pod_group(build);
    fill_counts(build);
    fill_initializer(build, "dataset-initializer", "dataset");
    fill_initializer(build, "model-initializer", "model");
    fill_trainer(build);
    build.spec["suspend"] = bool_at(trainjob, "spec.suspend");
    result.mpi = build.has_policy("mpi");
    if (result.mpi) result.hostfile = mpi_hostfile(build);
    result.pod_group = pod_group_for(build);
    if (build.has_policy("flux")) result.not_emulated = "mlPolicy.flux";
    if (at_path(build.runtime_spec, "podGroupPolicy.volcano").is_object())
        result.not_emulated = "podGroupPolicy.volcano";
    result.error = build.error;
    result.jobset_template["spec"] = std::move(build.spec);
    return result;
}

}  // namespace shed::controllers
