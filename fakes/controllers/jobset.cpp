// The JobSet controller's pass, in the order of the real one: statuses, clean-up, failure, success, service, claims,
// Jobs, suspension.
#include "fakes/controllers/jobset.hpp"

namespace shed::controllers {

namespace {

constexpr const char* own_manager = "jobset.sigs.k8s.io/jobset-controller";
constexpr const char* attempt_label = "jobset.sigs.k8s.io/restart-attempt";

std::int64_t attempt_of(const Object& job) {
    return std::strtoll(std::string(job.label(attempt_label)).c_str(), nullptr, 10);
}

void find_jobs(JobsetWork& work) {
    for (const ObjectPtr& job : work.cluster.controlled_by(work.jobset.uid(), jobs())) {
        if (attempt_of(*job) < work.restarts()) work.previous.push_back(job);
        else if (condition_true(job->dom(), "Failed")) work.failed.push_back(job);
        else if (condition_true(job->dom(), "Complete")) work.succeeded.push_back(job);
        else work.active.push_back(job);
    }
}

void delete_jobs(JobsetWork& work, const std::vector<ObjectPtr>& list) {
    for (const ObjectPtr& job : list)
        if (!job->deleting()) work.plan.actions.push_back(Delete{job->key(), job->uid(), "Foreground"});
}

// After its time to live a finished JobSet goes, and its Jobs before it.
void expire(JobsetWork& work) {
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
    if (!bool_at(network, "enableDNSHostnames")) return;
    const std::string name = string_at(network, "subdomain", work.jobset.name());
    if (work.cluster.find({&services(), work.jobset.ns(), name})) return;
    Create create{{{"apiVersion", "v1"},
                   {"kind", "Service"},
                   {"metadata",
                    {{"name", name},
                     {"namespace", work.jobset.ns()},
                     {"ownerReferences", Json::array({owner_reference(work.jobset)})}}},
                   {"spec",
                    {{"clusterIP", "None"},
                     {"selector", {{"jobset.sigs.k8s.io/jobset-name", work.jobset.name()}}},
                     {"publishNotReadyAddresses", bool_at(network, "publishNotReadyAddresses", true)}}}}};
    create.refusal = work.event("Warning", "HeadlessServiceCreationFailed", "");
    work.plan.actions.push_back(std::move(create));
}

bool finished(const Json& conditions) { return is_true(conditions, "Completed") || is_true(conditions, "Failed"); }

bool all_ready(const JobsetWork& work) {
    std::int64_t wanted = 0, ready = 0;
    for (const Json& job : work.replicated_jobs()) wanted += replicas_of(job);
    for (const Json& counts : member(work.status, "replicatedJobsStatus"))
        ready += int_at(counts, "ready") + int_at(counts, "succeeded");
    return wanted == ready;
}

void run_pass(JobsetWork& work) {
    if (finished(member(work.status, "conditions"))) {
        delete_jobs(work, work.active);
        expire(work);
        return;
    }
    delete_jobs(work, work.previous);
    if (!work.suspended() && all_ready(work)) end_restart(work, "JobsReady", "all jobs are ready");
    if (apply_failure_policy(work) || apply_success_policy(work)) return;
    create_service(work);
    create_claims(work);
    create_jobs(work);
    if (work.suspended()) suspend_jobs(work);
    else resume_jobs(work);
}

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    const ObjectPtr jobset = cluster.find(key);
    if (!jobset || jobset->deleting()) return {};
    if (string_at(jobset->dom(), "spec.managedBy", own_manager) != own_manager) return {};
    const Json& before = at_path(jobset->dom(), "status");
    JobsetWork work{cluster, in, *jobset, before.is_object() ? before : Json::object(), {}, {}, {}, {}};
    find_jobs(work);
    compute_statuses(work);
    run_pass(work);
    if (work.status != before && !(before.is_null() && work.status.empty())) {
        if (!work.status.contains("restarts")) work.status["restarts"] = 0;
        Json updated = jobset->dom();
        updated["status"] = work.status;
        work.plan.actions.push_back(Update{std::move(updated), "status"});
        for (EmitEvent& event : work.events) work.plan.actions.push_back(std::move(event));
    }
    return std::move(work.plan);
}

std::vector<Key> keys_for(const Snapshot& cluster, const Object& changed) {
    return owner_keys(cluster, changed, jobsets());
}

// These two exclude each other.
const char* rival_of(const std::string& type) {
    if (type == "StartupPolicyInProgress") return "StartupPolicyCompleted";
    return type == "StartupPolicyCompleted" ? "StartupPolicyInProgress" : "";
}

}  // namespace

EmitEvent JobsetWork::event(const std::string& type, const std::string& reason, const std::string& message) const {
    return EmitEvent{jobset.key(), type, reason, message, "jobset", true, "Reconciling"};
}

void JobsetWork::set(const std::string& type, bool value, const std::string& reason, const std::string& message,
                     const std::string& event_type) {
    Json& conditions = status["conditions"];
    if (!value && condition_in(conditions, type).is_null()) {
        if (conditions.is_null()) status.erase("conditions");
        return;
    }
    bool changed = set_condition(conditions, type, value, reason, message, time());
    if (value)
        for (Json& rival : conditions)
            if (string_at(rival, "type") == rival_of(type) && string_at(rival, "status") == "True") {
                rival["status"] = "False";
                changed = true;
            }
    if (changed) events.push_back(event(event_type, reason, message));
}

Controller jobset_controller() {
    return {"jobset", "jobset", &jobsets(), {&jobs(), &services()}, keys_for, reconcile};
}

}  // namespace shed::controllers
