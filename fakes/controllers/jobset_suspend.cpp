// Suspending a JobSet suspends its Jobs. Resuming brings what a queue changed in the templates into the Jobs first.
#include "fakes/controllers/jobset.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

Json merged_map(const Json& old, const Json& more) {
    Json merged = old.is_object() ? old : Json::object();
    if (more.is_object()) merged.update(more);
    return merged;
}

Json merged_list(const Json& old, const Json& more) {
    Json merged = old.is_array() ? old : Json::array();
    if (more.is_array())
        for (const Json& entry : more)
            if (std::find(merged.begin(), merged.end(), entry) == merged.end()) merged.push_back(entry);
    return merged;
}

void put(Json& into, const char* name, Json value) {
    if (!value.empty()) into[name] = std::move(value);
}

// Of the Job's pod template, since other controllers have added to it.
Json template_patch(const Json& job, const Json& replicated_job) {
    const Json& old = at_path(job, "spec.template");
    const Json& wanted = at_path(replicated_job, "template.spec.template");
    Json patch = Json::object();
    for (const char* map : {"labels", "annotations"})
        put(patch["metadata"], map,
            merged_map(member(member(old, "metadata"), map), member(member(wanted, "metadata"), map)));
    const Json &old_spec = member(old, "spec"), &wanted_spec = member(wanted, "spec");
    patch["spec"] = Json::object();
    put(patch["spec"], "nodeSelector",
        merged_map(member(old_spec, "nodeSelector"), member(wanted_spec, "nodeSelector")));
    for (const char* list : {"tolerations", "schedulingGates"})
        put(patch["spec"], list, merged_list(member(old_spec, list), member(wanted_spec, list)));
    return patch;
}

void resume_job(JobsetWork& work, const Object& job, const Json& replicated_job) {
    // A Job that has started once lets its template change only without a start time.
    if (!string_at(job.dom(), "status.startTime").empty())
        work.plan.actions.push_back(MergePatch{job.key(), {{"status", {{"startTime", nullptr}}}}, "status"});
    work.plan.actions.push_back(MergePatch{
        job.key(), {{"spec", {{"suspend", false}, {"template", template_patch(job.dom(), replicated_job)}}}}});
}

}  // namespace

void suspend_jobs(JobsetWork& work) {
    for (const ObjectPtr& job : work.active) {
        if (bool_at(job->dom(), "spec.suspend")) continue;
        Json updated = job->dom();
        updated["spec"]["suspend"] = true;
        work.plan.actions.push_back(Update{std::move(updated)});
    }
    work.set("Suspended", true, "SuspendedJobs", "jobset is suspended");
    end_restart(work, "JobSetSuspended", "jobset is suspended");
}

void resume_jobs(JobsetWork& work) {
    for (const Json& replicated_job : work.replicated_jobs()) {
        if (!dependencies_met(work, replicated_job)) continue;
        if (work.in_order() && all_started(work, replicated_job)) continue;
        for (const ObjectPtr& job : work.active)
            if (job->label("jobset.sigs.k8s.io/replicatedjob-name") == string_at(replicated_job, "name") &&
                bool_at(job->dom(), "spec.suspend"))
                resume_job(work, *job, replicated_job);
        if (!work.in_order()) continue;
        // The next one waits until this one's Jobs are ready.
        report_startup(work, false);
        return;
    }
    work.set("Suspended", false, "ResumeJobs", "jobset is resumed");
}

}  // namespace shed::controllers
