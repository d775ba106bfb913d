// What a Job of a JobSet looks like: its labels and annotations, its template, its exclusive place.
#include "fakes/controllers/jobset.hpp"
#include "fakes/controllers/sha1.hpp"

namespace shed::controllers {

namespace {

struct Position {
    std::int64_t global = 0, global_replicas = 0, group = 0, group_replicas = 0;
};

// Replicas before this one, in the whole JobSet and in its group.
Position position_of(const JobsetWork& work, const Json& replicated_job, std::int64_t index) {
    Position position;
    const std::string name = string_at(replicated_job, "name"), group = string_at(replicated_job, "groupName", "default");
    bool before = true;
    for (const Json& other : work.replicated_jobs()) {
        const std::int64_t replicas = int_at(other, "replicas", 1);
        const bool same_group = string_at(other, "groupName", "default") == group;
        if (string_at(other, "name") == name) before = false;
        position.global_replicas += replicas;
        if (same_group) position.group_replicas += replicas;
        if (!before) continue;
        position.global += replicas;
        if (same_group) position.group += replicas;
    }
    position.global += index;
    position.group += index;
    return position;
}

Json labels_of(const JobsetWork& work, const Json& replicated_job, std::int64_t index, const std::string& job_name) {
    const Position position = position_of(work, replicated_job, index);
    const std::string prefix = "jobset.sigs.k8s.io/";
    Json labels = {{prefix + "jobset-name", work.jobset.name()},
                   {prefix + "jobset-uid", work.jobset.uid()},
                   {prefix + "replicatedjob-name", string_at(replicated_job, "name")},
                   {prefix + "restart-attempt", std::to_string(work.restarts())},
                   {prefix + "replicatedjob-replicas", std::to_string(int_at(replicated_job, "replicas", 1))},
                   {prefix + "global-replicas", std::to_string(position.global_replicas)},
                   {prefix + "job-index", std::to_string(index)},
                   {prefix + "job-key", sha1_hex(work.jobset.ns() + "/" + job_name)},
                   {prefix + "job-global-index", std::to_string(position.global)},
                   {prefix + "group-name", string_at(replicated_job, "groupName", "default")},
                   {prefix + "group-replicas", std::to_string(position.group_replicas)},
                   {prefix + "job-group-index", std::to_string(position.group)}};
    if (const Json& coordinator = member(work.spec(), "coordinator"); coordinator.is_object())
        labels[prefix + "coordinator"] =
            work.jobset.name() + "-" + string_at(coordinator, "replicatedJob") + "-" +
            std::to_string(int_at(coordinator, "jobIndex")) + "-" + std::to_string(int_at(coordinator, "podIndex")) +
            "." + string_at(work.spec(), "network.subdomain", work.jobset.name());
    return labels;
}

Json joined(const Json& base, const Json& more) {
    Json result = base.is_object() ? base : Json::object();
    for (const auto& [key, value] : more.items()) result[key] = value;
    return result;
}

constexpr const char* namespaced_job = "alpha.jobset.sigs.k8s.io/namespaced-job";
constexpr const char* no_schedule_taint = "alpha.jobset.sigs.k8s.io/no-schedule";

// Exclusive placement, asked for by the JobSet or by one of its replicatedJobs, is told by annotations only.
Json placement_of(const JobsetWork& work, const Json& replicated_job) {
    Json marks = Json::object();
    const Json& of_jobset = at_path(work.jobset.dom(), "metadata.annotations");
    const Json& of_job = at_path(replicated_job, "template.metadata.annotations");
    for (const Json* annotations : {&of_jobset, &of_job}) {
        if (!member(*annotations, exclusive_topology).is_string()) continue;
        for (const char* name : {exclusive_topology, node_selector_strategy})
            if (const Json& value = member(*annotations, name); value.is_string()) marks[name] = value;
    }
    return marks;
}

// With the node selector strategy somebody has labelled and tainted the nodes for each Job.
void select_own_nodes(const JobsetWork& work, const std::string& name, Json& pod_spec) {
    pod_spec["nodeSelector"][namespaced_job] = work.jobset.ns() + "_" + name;
    pod_spec["tolerations"].push_back(
        {{"key", no_schedule_taint}, {"operator", "Exists"}, {"effect", "NoSchedule"}});
}

}  // namespace

std::string job_name(const JobsetWork& work, const Json& replicated_job, std::int64_t index) {
    return work.jobset.name() + "-" + string_at(replicated_job, "name") + "-" + std::to_string(index);
}

Json make_job(const JobsetWork& work, const Json& replicated_job, std::int64_t index) {
    const std::string name = job_name(work, replicated_job, index);
    const Json labels = labels_of(work, replicated_job, index, name);
    const Json annotations = joined(labels, placement_of(work, replicated_job));
    const Json& job_template = member(replicated_job, "template");
    const Json& metadata = member(job_template, "metadata");
    Json spec = member(job_template, "spec");
    Json& pod = spec["template"];
    pod["metadata"]["labels"] = joined(member(pod["metadata"], "labels"), labels);
    pod["metadata"]["annotations"] = joined(member(pod["metadata"], "annotations"), annotations);
    if (bool_at(work.spec(), "network.enableDNSHostnames"))
        pod["spec"]["subdomain"] = string_at(work.spec(), "network.subdomain", work.jobset.name());
    if (annotations.contains(exclusive_topology) && annotations.contains(node_selector_strategy))
        select_own_nodes(work, name, pod["spec"]);
    spec["suspend"] = work.suspended();
    add_claimed_volumes(work, pod["spec"]);
    return {{"apiVersion", "batch/v1"},
            {"kind", "Job"},
            {"metadata",
             {{"name", name},
              {"namespace", work.jobset.ns()},
              {"labels", joined(member(metadata, "labels"), labels)},
              {"annotations", joined(member(metadata, "annotations"), annotations)},
              {"ownerReferences", Json::array({owner_reference(work.jobset)})}}},
            {"spec", std::move(spec)}};
}

}  // namespace shed::controllers
