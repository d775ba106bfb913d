// The status of a Job, in at most two writes: what ended and what was decided, then, with the finalizers off, the
// numbers and the terminal condition.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr std::size_t uncounted_max = 500;

struct Tracking {
    std::vector<const Object*> released = {};
    std::set<std::string> with_finalizer = {};
    bool all = true;  // false: some are left for the next pass
};

bool may_release(const JobWork& work, const Object& pod) {
    if (work.job.deleting() || work.verdict || is_succeeded(pod)) return true;
    if (!is_failed(work, pod)) return false;
    const auto kept = work.kept_for_replacement.find(index_of(pod));
    return kept == work.kept_for_replacement.end() || kept->second != &pod;
}

// Those whose finalizer is off become numbers.
bool settle_uncounted(Json& status, const std::set<std::string>& with_finalizer) {
    bool changed = false;
    Json& lists = status["uncountedTerminatedPods"];
    if (!lists.is_object()) lists = Json::object();
    for (const char* what : {"succeeded", "failed"}) {
        if (!lists.contains(what)) continue;
        Json kept = Json::array();
        for (const Json& uid : lists[what])
            if (with_finalizer.contains(uid.get<std::string>())) kept.push_back(uid);
        if (const auto gone = lists[what].size() - kept.size(); gone > 0) {
            status[what] = int_at(status, what) + static_cast<std::int64_t>(gone);
            changed = true;
        }
        lists[what] = std::move(kept);
        if (lists[what].empty()) lists.erase(what);
    }
    return changed;
}

void note_ended(JobWork& work, const Object& pod, Indexes& new_done) {
    Json& status = work.status;
    const Json& known = member(status, "uncountedTerminatedPods");
    const bool is_known_failed = listed(member(known, "failed"), pod.uid());
    if (is_succeeded(pod) && !is_known_failed) {
        if (work.indexed()) {
            const std::int64_t index = index_of(pod);
            if (counts(work, pod) && !work.done_before.contains(index)) new_done.insert(index);
        } else if (!listed(member(known, "succeeded"), pod.uid())) {
            uncounted(status, "succeeded").push_back(pod.uid());
            work.must_write = true;
        }
        return;
    }
    // When a Job has failed, so has every pod that had not ended.
    const bool failed_with_job = work.verdict && !work.verdict->success;
    if (!is_failed(work, pod) && !failed_with_job) return;
    if (is_known_failed || !counts(work, pod) || !match_failure_policy(work, pod).counts()) return;
    uncounted(status, "failed").push_back(pod.uid());
    work.must_write = true;
}

Tracking track(JobWork& work) {
    Tracking tracking;
    for (const ObjectPtr& pod : work.pods)
        if (has_finalizer(*pod, tracking_finalizer)) tracking.with_finalizer.insert(pod->uid());
    if (settle_uncounted(work.status, tracking.with_finalizer)) work.must_write = true;
    Indexes new_done;
    for (const ObjectPtr& pod : work.pods) {
        if (!tracking.with_finalizer.contains(pod->uid()) || !may_release(work, *pod)) continue;
        tracking.released.push_back(pod.get());
        note_ended(work, *pod, new_done);
        const Json& lists = work.status["uncountedTerminatedPods"];
        std::size_t size = new_done.size();
        for (const char* what : {"succeeded", "failed"}) size += member(lists, what).size();
        if (size < uncounted_max) continue;
        tracking.all = false;
        break;
    }
    if (!work.indexed()) return tracking;
    work.done = work.done_before;
    work.done.insert(new_done.begin(), new_done.end());
    return tracking;
}

void fill_indexes(JobWork& work) {
    if (!work.indexed()) return;
    const Json before = work.status;
    if (work.done.empty()) work.status.erase("completedIndexes");
    else work.status["completedIndexes"] = compress(work.done);
    if (work.done.empty()) work.status.erase("succeeded");
    else work.status["succeeded"] = work.done.size();
    if (work.limits_each_index()) work.status["failedIndexes"] = compress(work.failed_indexes);
    if (work.status != before) work.must_write = true;
}

void fill_counts(JobWork& work) {
    const Json before = work.status;
    if (work.active_count > 0) work.status["active"] = work.active_count;
    else work.status.erase("active");
    work.status["ready"] = work.ready;
    work.status["terminating"] = work.terminating;
    if (work.status != before) work.must_write = true;
}

// A Job with a number of completions, or a work queue one of whose pods succeeded and none of which runs.
bool reached_completions(const JobWork& work) {
    if (work.active_count > 0) return false;
    return work.completions() ? work.succeeded >= *work.completions() : work.succeeded > 0;
}

// True when the Job has come to its end.
bool finish(JobWork& work, bool all_tracked) {
    if (!work.verdict || !all_tracked || work.terminating > 0) return false;
    const Json& lists = member(work.status, "uncountedTerminatedPods");
    if (!member(lists, "succeeded").empty() || !member(lists, "failed").empty()) return false;
    const JobVerdict& end = *work.verdict;
    work.condition(end.success ? "Complete" : "Failed", true, end.reason, end.message);
    if (end.success) {
        work.status["completionTime"] = format_time(work.in.now);
        if (work.completions() && int_at(work.status, "succeeded") > *work.completions())
            work.event("Warning", "TooManySucceededPods", "Too many succeeded pods running after completion count reached");
        work.event("Normal", "Completed", "Job completed");
    } else {
        work.event("Warning", end.reason, end.message);
    }
    return true;
}

// What has to be sent to make `after` of `before`.
Json difference(const Json& before, const Json& after) {
    Json patch = Json::object();
    for (const auto& [name, value] : before.items())
        if (!after.contains(name)) patch[name] = nullptr;
    for (const auto& [name, value] : after.items()) {
        const Json& old = member(before, name);
        if (old == value) continue;
        patch[name] = value.is_object() && old.is_object() ? difference(old, value) : value;
    }
    return patch;
}

}  // namespace

void conclude(JobWork& work) {
    if (reached_completions(work)) {
        work.verdict = JobVerdict{true, "CompletionsReached", "Reached expected number of succeeded pods"};
        return;
    }
    if (work.job.deleting()) return;
    if (work.suspended()) {
        if (!work.condition("Suspended", true, "JobSuspended", "Job suspended")) return;
        work.event("Normal", "Suspended", "Job suspended");
        work.status.erase("startTime");
    } else {
        if (!work.condition("Suspended", false, "JobResumed", "Job resumed")) return;
        work.event("Normal", "Resumed", "Job resumed");
        // The deadline counts from here.
        work.status["startTime"] = format_time(work.in.now);
    }
    work.must_write = true;
}

void write_status(JobWork& work) {
    fill_counts(work);
    const Tracking tracking = track(work);
    fill_indexes(work);
    if (work.verdict && work.verdict->fresh) {
        const JobVerdict& end = *work.verdict;
        work.condition(end.success ? "SuccessCriteriaMet" : "FailureTarget", true, end.reason, end.message);
        work.must_write = true;
    }
    const Json first = work.status;
    if (work.must_write) {
        Json updated = work.job.dom();
        updated["status"] = first;
        work.plan.actions.push_back(Update{std::move(updated), "status"});
    }
    std::set<std::string> left = tracking.with_finalizer;
    for (const Object* pod : tracking.released) {
        release(work.plan, *pod);
        left.erase(pod->uid());
    }
    bool again = settle_uncounted(work.status, left);
    again = finish(work, tracking.all) || again;
    if (again)
        work.plan.actions.push_back(
            MergePatch{work.job.key(), {{"status", difference(first, work.status)}}, "status"});
    for (EmitEvent& event : work.events) work.plan.actions.push_back(std::move(event));
}

}  // namespace shed::controllers
