// The Job controller's pass. Rules: k8s.io/kubernetes/pkg/controller/job.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

std::optional<std::int64_t> JobWork::completions() const {
    const Json& value = member(spec(), "completions");
    return value.is_number_integer() ? std::optional(value.get<std::int64_t>()) : std::nullopt;
}

bool JobWork::replaces_failed_only() const {
    return string_at(spec(), "podReplacementPolicy") == "Failed" || member(spec(), "podFailurePolicy").is_object();
}

void JobWork::event(const std::string& type, const std::string& reason, const std::string& message) {
    events.push_back(EmitEvent{job.key(), type, reason, message, "job-controller"});
}

bool JobWork::condition(const std::string& type, bool value, const std::string& reason, const std::string& message) {
    Json& conditions = status["conditions"];
    if (!value && condition_in(conditions, type).is_null()) {  // From nothing to False means nothing.
        if (conditions.is_null()) status.erase("conditions");
        return false;
    }
    const std::string time = format_time(in.now);
    if (!set_condition(conditions, type, value, reason, message, time)) return false;
    for (Json& c : conditions)
        if (string_at(c, "type") == type) c["lastProbeTime"] = c["lastTransitionTime"] = time;
    return true;
}

void JobWork::look_again(Time at) {
    if (!plan.look_again_at || at < *plan.look_again_at) plan.look_again_at = at;
}

void release(Plan& plan, const Object& pod) {
    if (!has_finalizer(pod, tracking_finalizer)) return;
    // A pod that is gone needs it no more.
    plan.actions.push_back(MergePatch{pod.key(), without_finalizer(pod, tracking_finalizer), "", true});
}

namespace {

constexpr const char* own_name = "kubernetes.io/job-controller";

// Pods of a Job that is gone, or that never was theirs: nobody else takes the finalizer off.
Plan release_orphans(const Snapshot& cluster, const Key& key) {
    Plan plan;
    for (const ObjectPtr& pod : cluster.list(pods(), key.ns)) {
        if (pod->label("job-name") != key.name || !has_finalizer(*pod, tracking_finalizer)) continue;
        const OwnerReference* owner = pod->controller();
        if (owner == nullptr || !cluster.find_by_uid(owner->uid)) release(plan, *pod);
    }
    return plan;
}

// The TTL controller's part.
void finish_after_ttl(JobWork& work) {
    const Json& ttl = member(work.spec(), "ttlSecondsAfterFinished");
    if (!ttl.is_number_integer() || work.job.deleting()) return;
    const char* type = work.has("Complete") ? "Complete" : "Failed";
    const auto since = parse_time(string_at(condition_of(work.job.dom(), type), "lastTransitionTime"));
    const Time due = since.value_or(work.in.now) + std::chrono::seconds(ttl.get<std::int64_t>());
    if (work.in.now >= due) work.plan.actions.push_back(Delete{work.job.key(), work.job.uid(), "Foreground"});
    else work.plan.look_again_at = due;
}

Plan leave_finished(JobWork& work) {
    for (const ObjectPtr& pod : work.pods) release(work.plan, *pod);
    finish_after_ttl(work);
    return std::move(work.plan);
}

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    const ObjectPtr job = cluster.find(key);
    if (!job) return release_orphans(cluster, key);
    if (string_at(job->dom(), "spec.managedBy", own_name) != own_name) return {};
    const Json& before = at_path(job->dom(), "status");
    JobWork work{cluster, in, *job, before.is_object() ? before : Json::object()};
    work.pods = cluster.controlled_by(job->uid(), pods());
    if (work.has("Complete") || work.has("Failed")) return leave_finished(work);
    count_pods(work);
    if (string_at(work.status, "startTime").empty() && !work.suspended())
        work.status["startTime"] = format_time(in.now);
    judge(work);
    if (work.verdict) {
        delete_active(work);
    } else {
        if (!job->deleting()) manage_pods(work);
        conclude(work);
    }
    write_status(work);
    work.plan.memory = work.backoff.json();
    return std::move(work.plan);
}

std::vector<Key> keys_for(const Snapshot& cluster, const Object& changed) {
    return owner_keys(cluster, changed, jobs());
}

}  // namespace

Controller job_controller() {
    Controller controller{"job", "kube-controller-manager", &jobs(), {&pods()}, keys_for, reconcile};
    controller.batch = std::chrono::seconds(1);
    return controller;
}

}  // namespace shed::controllers
