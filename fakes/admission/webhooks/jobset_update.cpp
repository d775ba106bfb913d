// What of a JobSet may still change. Most of its policies are immutable by CEL; the jobs are guarded here.
#include "fakes/admission/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

void take_old(const Json& old, Json& now, const char* name) {
    const Json& value = member(old, name);
    if (value.is_null()) now.erase(name);
    else now[name] = value;
}

// Queues such as Kueue steer the pods of a suspended JobSet by these members.
void forgive_pod_placement(const Json& old_job, Json& job) {
    const Json& old_template = at_path(old_job, "template.spec.template");
    for_each_at(job, "template.spec.template", [&](Json& pod_template) {
        const Json& old_metadata = member(old_template, "metadata");
        Json& metadata = pod_template["metadata"];
        if (metadata.is_null()) metadata = Json::object();
        for (const char* name : {"annotations", "labels"}) take_old(old_metadata, metadata, name);
        Json& spec = pod_template["spec"];
        for (const char* name : {"nodeSelector", "tolerations", "schedulingGates"})
            take_old(member(old_template, "spec"), spec, name);
    });
}

const Json& job_named(const Json& jobs, const std::string& name) {
    static const Json none;
    for (const Json& job : jobs)
        if (string_at(job, "name") == name) return job;
    return none;
}

// The webhook compares Go structs, in which these members always exist.
Json as_go(Json jobs) {
    for (Json& job : jobs) {
        for_each_at(job, "template", [](Json& t) { t.emplace("metadata", Json::object()); });
        for_each_at(job, "template.spec.template", [](Json& t) { t.emplace("metadata", Json::object()); });
        for (const char* list : {"containers[*]", "initContainers[*]"})
            for_each_at(job, std::string("template.spec.template.spec.") + list,
                        [](Json& container) { container.emplace("resources", Json::object()); });
    }
    return jobs;
}

}  // namespace

FieldErrors validate_jobset_update(const Json& jobset, const Json& old) {
    const Json old_jobs = as_go(list_of(old, "spec.replicatedJobs"));
    Json jobs = as_go(list_of(jobset, "spec.replicatedJobs"));
    if (bool_at(old, "spec.suspend") || bool_at(jobset, "spec.suspend"))
        for (Json& job : jobs)
            if (const Json& before = job_named(old_jobs, string_at(job, "name")); !before.is_null())
                forgive_pod_placement(before, job);
    FieldErrors errors;
    if (jobs != old_jobs)
        errors.push_back(invalid_value("spec.replicatedJobs", jobs, "field is immutable"));
    const Json& manager = at_path(jobset, "spec.managedBy");
    if (manager != at_path(old, "spec.managedBy"))
        errors.push_back(invalid_value("spec.managedBy", manager, "field is immutable"));
    return errors;
}

}  // namespace shed::admission
