// The runtime snapshot: later changes of the runtime do not reach jobs that have begun.
#include "fakes/controllers/trainjob.hpp"
#include "fakes/yaml/yaml.hpp"

namespace shed::controllers {

namespace {

// Upstream writes the snapshot from its Go structs, which show these members even when empty.
Json as_written(Json runtime) {
    const auto show = [](Json& object, const char* name) {
        if (!object[name].is_object()) object[name] = Json::object();
    };
    Json& jobset = runtime["spec"]["template"];
    show(jobset, "metadata");
    for (Json& replicated_job : jobset["spec"]["replicatedJobs"]) {
        Json& job_template = replicated_job["template"];
        show(job_template, "metadata");
        Json& pod = job_template["spec"]["template"];
        show(pod, "metadata");
        for (const char* list : {"initContainers", "containers"})
            if (pod["spec"].contains(list))
                for (Json& container : pod["spec"][list]) show(container, "resources");
    }
    return runtime;
}

bool is_cluster_wide(const TrainjobWork& work) {
    return string_at(work.job.dom(), "spec.runtimeRef.kind") != "TrainingRuntime";
}

Json live_runtime(TrainjobWork& work) {
    const std::string kind_name = is_cluster_wide(work) ? "ClusterTrainingRuntime" : "TrainingRuntime";
    const Kind& kind = kind_of("trainer.kubeflow.org/v1alpha1", kind_name);
    const std::string name = string_at(work.job.dom(), "spec.runtimeRef.name");
    if (const ObjectPtr found = work.cluster.find({&kind, kind.namespaced ? work.job.ns() : "", name}))
        return found->dom();
    // A cached client names the kind where the API names the resource.
    const std::string missing = kind.group_kind() + " \"" + name + "\" not found";
    work.error = is_cluster_wide(work) ? "not found ClusterTrainingRuntime specified in TrainJob: " + missing
                                       : "TrainingRuntime specified in TrainJob is not found: " + missing;
    return nullptr;
}

std::string quoted_reference(const std::string& name, const std::string& group, const std::string& kind) {
    return "\"" + name + "\", \"" + group + "\", \"" + kind + "\"";
}

// Why a snapshot is not one of this job's runtime; empty when it is.
std::string mismatch(const TrainjobWork& work, const Json& runtime) {
    const Json& wanted = at_path(work.job.dom(), "spec.runtimeRef");
    const std::string api_version = string_at(runtime, "apiVersion");
    const auto slash = api_version.find('/');
    const std::string group = slash == std::string::npos ? "" : api_version.substr(0, slash);
    const std::string kind = string_at(runtime, "kind"), name = string_at(runtime, "metadata.name");
    if (name == string_at(wanted, "name") && group == string_at(wanted, "apiGroup", group) &&
        kind == string_at(wanted, "kind", kind))
        return "";
    return "the snapshot refers to the wrong runtime: expecting a runtime with name, api group and kind of " +
           quoted_reference(string_at(wanted, "name"), string_at(wanted, "apiGroup", "<any>"),
                            string_at(wanted, "kind", "<any>")) +
           " but found runtime with name, api group and kind of " + quoted_reference(name, group, kind);
}

Json read_snapshot(const TrainjobWork& work, const Object& config_map, std::string& problem) {
    const OwnerReference* owner = config_map.controller();
    if (owner == nullptr || owner->uid != work.job.uid()) {
        problem = "a snapshot configmap exists but is owned by another object";
        return nullptr;
    }
    const Json& text = at_path(config_map.dom(), "data.runtime");
    if (!text.is_string()) {
        problem = "snapshot ConfigMap missing \"runtime\" data key";
        return nullptr;
    }
    auto parsed = parse_yaml(text.get_ref<const std::string&>());
    if (!parsed) {
        problem = "unable to unmarshal the snapshot: " + parsed.error().message;
        return nullptr;
    }
    problem = mismatch(work, *parsed);
    return problem.empty() ? std::move(*parsed) : Json();
}

}  // namespace

Json runtime_of(TrainjobWork& work) {
    const std::string name = work.job.name() + "-runtime-snapshot";
    if (const ObjectPtr snapshot = work.find(config_maps(), name)) {
        std::string problem;
        Json runtime = read_snapshot(work, *snapshot, problem);
        if (!problem.empty())
            work.error = (is_cluster_wide(work) ? "getting runtime snapshot: " : "unable to get runtime snapshot: ") +
                         ("invalid runtime snapshot: " + problem);
        return runtime;
    }
    Json live = live_runtime(work);
    if (live.is_null()) return live;
    Json config_map = work.object("v1", "ConfigMap", name);
    config_map["data"] = {{"runtime", dump_yaml(as_written(live))}};
    work.apply(std::move(config_map), "creating runtime snapshot: applying runtime snapshot ConfigMap: ");
    return live;
}

}  // namespace shed::controllers
