// The Job controller's pass: count what has ended, decide, create or delete pods, write the status, let counted pods go.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

bool is_terminal(const Object& pod) {
    const std::string phase = string_at(pod.dom(), "status.phase");
    return phase == "Succeeded" || phase == "Failed";
}

bool is_active(const Object& pod) { return !is_terminal(pod) && !pod.deleting(); }

bool has_finalizer(const Object& object, std::string_view name) {
    const auto& list = object.finalizers();
    return std::find(list.begin(), list.end(), name) != list.end();
}

std::int64_t index_of(const Object& pod) {
    const std::string text(pod.label(index_label));
    return text.empty() ? -1 : std::strtoll(text.c_str(), nullptr, 10);
}

Json& JobWork::uncounted(const char* what) {
    Json& list = status["uncountedTerminatedPods"][what];
    if (!list.is_array()) list = Json::array();
    return list;
}

std::size_t JobWork::uncounted_count(const char* what) const {
    const Json& list = member(member(status, "uncountedTerminatedPods"), what);
    return list.is_array() ? list.size() : 0;
}

void JobWork::event(const std::string& type, const std::string& reason, const std::string& message) {
    events.push_back(EmitEvent{job.key(), type, reason, message, "job-controller"});
}

bool JobWork::condition(const std::string& type, bool value, const std::string& reason, const std::string& message) {
    const std::string time = format_time(in.now);
    if (!set_condition(status["conditions"], type, value, reason, message, time)) return false;
    for (Json& c : status["conditions"])
        if (string_at(c, "type") == type) c["lastProbeTime"] = c["lastTransitionTime"] = time;
    return true;
}

namespace {

Json without_finalizer(const Object& object, std::string_view name) {
    Json kept = Json::array();
    for (const std::string& finalizer : object.finalizers())
        if (finalizer != name) kept.push_back(finalizer);
    return {{"metadata", {{"finalizers", kept.empty() ? Json() : kept}}}};
}

void release(Plan& plan, const Object& pod) {
    if (has_finalizer(pod, tracking_finalizer))
        plan.actions.push_back(MergePatch{pod.key(), without_finalizer(pod, tracking_finalizer)});
}

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

void finish_after_ttl(JobWork& work) {
    const Json& ttl = member(work.spec(), "ttlSecondsAfterFinished");
    if (!ttl.is_number_integer()) return;
    const char* type = work.has("Complete") ? "Complete" : "Failed";
    const auto since = parse_time(string_at(condition_of(work.job.dom(), type), "lastTransitionTime"));
    const Time due = since.value_or(work.in.now) + std::chrono::seconds(ttl.get<std::int64_t>());
    if (work.in.now >= due) work.plan.actions.push_back(Delete{work.job.key(), work.job.uid(), "Foreground"});
    else work.plan.look_again_at = due;
}

void handle_suspension(JobWork& work) {
    if (work.suspended()) {
        if (work.condition("Suspended", true, "JobSuspended", "Job suspended"))
            work.event("Normal", "Suspended", "Job suspended");
        work.status.erase("startTime");
        return;
    }
    if (work.has("Suspended")) {
        work.condition("Suspended", false, "JobResumed", "Job resumed");
        work.event("Normal", "Resumed", "Job resumed");
        work.status.erase("startTime");
    }
    if (string_at(work.status, "startTime").empty()) work.status["startTime"] = format_time(work.in.now);
}

void fill_counts(JobWork& work) {
    std::int64_t active = work.created, ready = 0, terminating = 0;
    for (const ObjectPtr& pod : work.pods) {
        const bool leaving = std::find(work.deleted.begin(), work.deleted.end(), pod.get()) != work.deleted.end();
        if (is_terminal(*pod)) continue;
        if (pod->deleting() || leaving) {
            ++terminating;
            continue;
        }
        ++active;
        if (condition_true(pod->dom(), "Ready")) ++ready;
    }
    if (active > 0) work.status["active"] = active;
    else work.status.erase("active");
    work.status["ready"] = ready;
    work.status["terminating"] = terminating;
    Json& uncounted = work.status["uncountedTerminatedPods"];
    if (!uncounted.is_object()) uncounted = Json::object();
    for (const char* what : {"succeeded", "failed"})
        if (uncounted.contains(what) && uncounted[what].empty()) uncounted.erase(what);
}

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    const ObjectPtr job = cluster.find(key);
    if (!job) return release_orphans(cluster, key);
    const Json& before = at_path(job->dom(), "status");
    JobWork work{cluster, in, *job, before.is_object() ? before : Json::object()};
    work.pods = cluster.controlled_by(job->uid(), pods());
    if (job->deleting() || work.has("Complete") || work.has("Failed")) {
        for (const ObjectPtr& pod : work.pods)
            if (pod->deleting() || is_terminal(*pod)) release(work.plan, *pod);
        if (!job->deleting()) finish_after_ttl(work);
        return std::move(work.plan);
    }
    count_pods(work);
    handle_suspension(work);
    decide_end(work);
    manage_pods(work);
    fill_counts(work);
    if (work.status != before) {
        Json updated = job->dom();
        updated["status"] = work.status;
        work.plan.actions.push_back(Update{std::move(updated), "status"});
    }
    for (const Object* pod : work.released) release(work.plan, *pod);
    for (EmitEvent& event : work.events) work.plan.actions.push_back(std::move(event));
    return std::move(work.plan);
}

std::vector<Key> keys_for(const Snapshot& cluster, const Object& changed) {
    return owner_keys(cluster, changed, jobs());
}

}  // namespace

Controller job_controller() {
    return {"job", "kube-controller-manager", &jobs(), {&pods()}, keys_for, reconcile};
}

}  // namespace shed::controllers
