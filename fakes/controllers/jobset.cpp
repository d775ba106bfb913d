// The JobSet controller's pass, in the order of the real one: statuses, clean-up, failure, success, service, Jobs, suspension.
#include "fakes/controllers/jobset.hpp"

namespace shed::controllers {

namespace {

constexpr const char* own_manager = "jobset.sigs.k8s.io/jobset-controller";
constexpr const char* attempt_label = "jobset.sigs.k8s.io/restart-attempt";

std::int64_t attempt_of(const Object& job) {
    return std::strtoll(std::string(job.label(attempt_label)).c_str(), nullptr, 10);
}

void find_jobs(JobsetWork& work) {
    for (const ObjectPtr& job : work.cluster.controlled_by(work.jobset.uid(), jobs()))
        (attempt_of(*job) < work.restarts() ? work.old_jobs : work.jobs).push_back(job);
}

void delete_job(JobsetWork& work, const Object& job) {
    if (!job.deleting()) work.plan.actions.push_back(Delete{job.key(), job.uid(), "Foreground"});
}

// Finished: Jobs that still run go, then after its time to live the JobSet itself.
void clean_up(JobsetWork& work) {
    for (const ObjectPtr& job : work.jobs)
        if (!job_finished(*job)) delete_job(work, *job);
    const Json& ttl = member(work.spec(), "ttlSecondsAfterFinished");
    if (!ttl.is_number_integer()) return;
    const Json& conditions = member(work.status, "conditions");
    const char* type = is_true(conditions, "Completed") ? "Completed" : "Failed";
    const auto since = parse_time(string_at(condition_in(conditions, type), "lastTransitionTime"));
    const Time due = since.value_or(work.in.now) + std::chrono::seconds(ttl.get<std::int64_t>());
    if (work.in.now >= due)
        work.plan.actions.push_back(Delete{work.jobset.key(), work.jobset.uid(), "Foreground"});
    else work.plan.look_again_at = due;
}

void create_service(JobsetWork& work) {
    const Json& network = member(work.spec(), "network");
    if (!bool_at(network, "enableDNSHostnames", true)) return;
    const std::string name = string_at(network, "subdomain", work.jobset.name());
    if (work.cluster.find({&services(), work.jobset.ns(), name})) return;
    work.plan.actions.push_back(Create{
        {{"apiVersion", "v1"},
         {"kind", "Service"},
         {"metadata",
          {{"name", name},
           {"namespace", work.jobset.ns()},
           {"ownerReferences", Json::array({owner_reference(work.jobset)})}}},
         {"spec",
          {{"clusterIP", "None"},
           {"selector", {{"jobset.sigs.k8s.io/jobset-name", work.jobset.name()}}},
           {"publishNotReadyAddresses", bool_at(network, "publishNotReadyAddresses", true)}}}}});
}

bool finished(const Json& conditions) { return is_true(conditions, "Completed") || is_true(conditions, "Failed"); }

bool all_ready(const JobsetWork& work) {
    for (const Json& job : work.replicated_jobs()) {
        const Json* counts = find_named(member(work.status, "replicatedJobsStatus"), string_at(job, "name"));
        if (counts == nullptr ||
            int_at(*counts, "ready") + int_at(*counts, "succeeded") != int_at(job, "replicas", 1))
            return false;
    }
    return true;
}

void run_pass(JobsetWork& work) {
    if (finished(member(work.status, "conditions"))) {
        clean_up(work);
        return;
    }
    for (const ObjectPtr& job : work.old_jobs) delete_job(work, *job);
    if (!work.suspended() && is_true(member(work.status, "conditions"), "RestartingJobSet") && all_ready(work))
        work.set("RestartingJobSet", false, "JobsReady", "all jobs are ready");
    if (apply_failure_policy(work) || apply_success_policy(work)) return;
    create_service(work);
    create_jobs(work);
    if (work.suspended()) suspend_jobs(work);
    else resume_jobs(work);
}

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    const ObjectPtr jobset = cluster.find(key);
    if (!jobset || jobset->deleting()) return {};
    if (string_at(jobset->dom(), "spec.managedBy", own_manager) != own_manager) return {};
    const Json& before = at_path(jobset->dom(), "status");
    JobsetWork work{cluster, in, *jobset, before.is_object() ? before : Json::object(), {}, {}};
    find_jobs(work);
    compute_statuses(work);
    run_pass(work);
    if (work.status != before) {
        if (!work.status.contains("restarts")) work.status["restarts"] = 0;
        Json updated = jobset->dom();
        updated["status"] = work.status;
        // Writes to other objects come first in the real controller too; the status ends the pass.
        work.plan.actions.push_back(Update{std::move(updated), "status"});
        for (EmitEvent& event : work.events) work.plan.actions.push_back(std::move(event));
    }
    return std::move(work.plan);
}

std::vector<Key> keys_for(const Snapshot& cluster, const Object& changed) {
    return owner_keys(cluster, changed, jobsets());
}

}  // namespace

void JobsetWork::set(const std::string& type, bool value, const std::string& reason, const std::string& message,
                     const std::string& event_type) {
    Json& conditions = status["conditions"];
    // A condition is never added as False.
    if (!value && condition_in(conditions, type).is_null()) {
        if (conditions.is_null()) status.erase("conditions");
        return;
    }
    if (!set_condition(conditions, type, value, reason, message, time())) return;
    events.push_back(EmitEvent{jobset.key(), event_type, reason, message, "jobset", true, "Reconciling"});
}

Controller jobset_controller() {
    return {"jobset", "jobset", &jobsets(), {&jobs(), &services()}, keys_for, reconcile};
}

}  // namespace shed::controllers
