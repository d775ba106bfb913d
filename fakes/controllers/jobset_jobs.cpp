// The Jobs of a JobSet: their labels, their order, suspending and resuming them.
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

std::string job_name(const JobsetWork& work, const Json& replicated_job, std::int64_t index) {
    return work.jobset.name() + "-" + string_at(replicated_job, "name") + "-" + std::to_string(index);
}

bool in_order(const JobsetWork& work) {
    return string_at(work.spec(), "startupPolicy.startupPolicyOrder") == "InOrder";
}

// InOrder: the next replicatedJob starts when all of this one's Jobs are ready or done.
bool started(const JobsetWork& work, const Json& replicated_job) {
    const Json* counts = find_named(member(work.status, "replicatedJobsStatus"), string_at(replicated_job, "name"));
    return counts != nullptr && int_at(*counts, "failed") + int_at(*counts, "ready") + int_at(*counts, "succeeded") ==
                                    int_at(replicated_job, "replicas", 1);
}

const Object* find_job(const std::vector<ObjectPtr>& list, const std::string& name) {
    for (const ObjectPtr& job : list)
        if (job->name() == name) return job.get();
    return nullptr;
}

void report_startup(JobsetWork& work, bool completed) {
    if (completed) {
        const bool in_progress = is_true(member(work.status, "conditions"), "StartupPolicyInProgress");
        if (in_progress) std::erase_if(work.status["conditions"].get_ref<Json::array_t&>(), [](const Json& c) {
            return string_at(c, "type") == "StartupPolicyInProgress";
        });
        work.set("StartupPolicyCompleted", true, "InOrderStartupPolicyCompleted",
                 "in order startup policy has completed");
    } else if (!is_true(member(work.status, "conditions"), "StartupPolicyCompleted")) {
        work.set("StartupPolicyInProgress", true, "InOrderStartupPolicyInProgress",
                 "in order startup policy is in progress");
    }
}

}  // namespace

Json make_job(const JobsetWork& work, const Json& replicated_job, std::int64_t index) {
    const std::string name = job_name(work, replicated_job, index);
    const Json marks = labels_of(work, replicated_job, index, name);
    const Json& job_template = member(replicated_job, "template");
    const Json& metadata = member(job_template, "metadata");
    Json spec = member(job_template, "spec");
    Json& pod = spec["template"];
    pod["metadata"]["labels"] = joined(member(pod["metadata"], "labels"), marks);
    pod["metadata"]["annotations"] = joined(member(pod["metadata"], "annotations"), marks);
    if (bool_at(work.spec(), "network.enableDNSHostnames", true))
        pod["spec"]["subdomain"] = string_at(work.spec(), "network.subdomain", work.jobset.name());
    spec["suspend"] = work.suspended();
    return {{"apiVersion", "batch/v1"},
            {"kind", "Job"},
            {"metadata",
             {{"name", name},
              {"namespace", work.jobset.ns()},
              {"labels", joined(member(metadata, "labels"), marks)},
              {"annotations", joined(member(metadata, "annotations"), marks)},
              {"ownerReferences", Json::array({owner_reference(work.jobset)})}}},
            {"spec", std::move(spec)}};
}

bool dependencies_met(const JobsetWork& work, const Json& replicated_job) {
    const Json& dependencies = member(replicated_job, "dependsOn");
    if (!dependencies.is_array()) return true;
    for (const Json& dependency : dependencies) {
        const std::string name = string_at(dependency, "name");
        const Json* other = find_named(work.replicated_jobs(), name);
        const Json* counts = find_named(member(work.status, "replicatedJobsStatus"), name);
        if (other == nullptr || counts == nullptr) return false;
        const std::int64_t replicas = int_at(*other, "replicas", 1), succeeded = int_at(*counts, "succeeded");
        const bool complete = string_at(dependency, "status") == "Complete";
        const std::int64_t have =
            complete ? succeeded : int_at(*counts, "failed") + int_at(*counts, "ready") + succeeded;
        if (have != replicas) return false;
    }
    return true;
}

void create_jobs(JobsetWork& work) {
    const bool blocking = string_at(work.spec(), "failurePolicy.restartStrategy") == "BlockingRecreate";
    if (blocking && !work.old_jobs.empty()) return;
    for (const Json& replicated_job : work.replicated_jobs()) {
        if (!dependencies_met(work, replicated_job)) continue;
        for (std::int64_t i = 0; i < int_at(replicated_job, "replicas", 1); ++i) {
            const std::string name = job_name(work, replicated_job, i);
            // An old attempt's Job keeps the name until it is gone.
            if (find_job(work.jobs, name) != nullptr || find_job(work.old_jobs, name) != nullptr) continue;
            work.plan.actions.push_back(Create{make_job(work, replicated_job, i)});
        }
        if (in_order(work) && !work.suspended() && !started(work, replicated_job)) {
            report_startup(work, false);
            return;
        }
    }
    if (in_order(work) && !work.suspended()) report_startup(work, true);
}

void suspend_jobs(JobsetWork& work) {
    for (const ObjectPtr& job : work.jobs) {
        if (job_finished(*job) || bool_at(job->dom(), "spec.suspend")) continue;
        Json updated = job->dom();
        updated["spec"]["suspend"] = true;
        work.plan.actions.push_back(Update{std::move(updated)});
    }
    work.set("Suspended", true, "SuspendedJobs", "jobset is suspended");
    if (is_true(member(work.status, "conditions"), "RestartingJobSet"))
        work.set("RestartingJobSet", false, "JobSetSuspended", "jobset is suspended");
}

void resume_jobs(JobsetWork& work) {
    for (const Json& replicated_job : work.replicated_jobs()) {
        if (!dependencies_met(work, replicated_job)) continue;
        for (const ObjectPtr& job : work.jobs) {
            if (job->label("jobset.sigs.k8s.io/replicatedjob-name") != string_at(replicated_job, "name")) continue;
            if (job_finished(*job) || !bool_at(job->dom(), "spec.suspend")) continue;
            if (!string_at(job->dom(), "status.startTime").empty()) {
                work.plan.actions.push_back(MergePatch{job->key(), {{"status", {{"startTime", nullptr}}}}, "status"});
            }
            const std::int64_t index =
                std::strtoll(std::string(job->label("jobset.sigs.k8s.io/job-index")).c_str(), nullptr, 10);
            const Json wanted = make_job(work, replicated_job, index);
            const Json& pod = at_path(wanted, "spec.template");
            Json patch = {{"spec", {{"suspend", false}, {"template", Json::object()}}}};
            Json& into = patch["spec"]["template"];
            for (const char* map : {"labels", "annotations"})
                if (const Json& value = at_path(pod, std::string("metadata.") + map); value.is_object())
                    into["metadata"][map] = value;
            for (const char* field : {"nodeSelector", "tolerations", "schedulingGates"})
                if (const Json& value = at_path(pod, std::string("spec.") + field); !value.is_null())
                    into["spec"][field] = value;
            work.plan.actions.push_back(MergePatch{job->key(), std::move(patch)});
        }
    }
    if (is_true(member(work.status, "conditions"), "Suspended"))
        work.set("Suspended", false, "ResumeJobs", "jobset is resumed");
}

}  // namespace shed::controllers
