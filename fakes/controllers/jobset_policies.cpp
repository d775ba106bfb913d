// When a JobSet has failed, is restarted, or has succeeded.
#include "fakes/controllers/jobset.hpp"

#include <algorithm>
#include <regex>

namespace shed::controllers {

namespace {

const Object* first_failed(const std::vector<ObjectPtr>& list) {
    const Object* first = nullptr;
    std::string first_time;
    for (const ObjectPtr& job : list) {
        if (!job_failed(*job)) continue;
        const std::string time = string_at(condition_of(job->dom(), "Failed"), "lastTransitionTime");
        if (first != nullptr && time >= first_time) continue;
        first = job.get();
        first_time = time;
    }
    return first;
}

bool listed(const Json& list, const std::string& value) {
    return !list.is_array() || list.empty() || std::find(list.begin(), list.end(), Json(value)) != list.end();
}

bool matches_any(const Json& patterns, const std::string& text) {
    if (!patterns.is_array() || patterns.empty()) return true;
    for (const Json& pattern : patterns) {
        // std::regex throws on a pattern it cannot read; such a pattern matches nothing.
        try {
            if (pattern.is_string() && std::regex_search(text, std::regex(pattern.get<std::string>()))) return true;
        } catch (const std::regex_error&) {
            continue;
        }
    }
    return false;
}

struct Decision {
    std::string action = "RestartJobSet", rule, reason = "DefaultFailurePolicy";
    const Object* job = nullptr;
};

Decision decide(const JobsetWork& work, const Json& policy) {
    Decision decision;
    decision.job = first_failed(work.jobs);
    const Json& rules = member(policy, "rules");
    if (!rules.is_array()) return decision;
    for (const Json& rule : rules) {
        for (const ObjectPtr& job : work.jobs) {
            if (!job_failed(*job)) continue;
            const Json& failure = condition_of(job->dom(), "Failed");
            const std::string target(job->label("jobset.sigs.k8s.io/replicatedjob-name"));
            if (!listed(member(rule, "onJobFailureReasons"), string_at(failure, "reason"))) continue;
            if (!listed(member(rule, "targetReplicatedJobs"), target)) continue;
            if (!matches_any(member(rule, "onJobFailureMessagePatterns"), string_at(failure, "message"))) continue;
            decision.action = string_at(rule, "action");
            decision.rule = string_at(rule, "name");
            decision.reason = "FailurePolicy_" + decision.rule;
            decision.job = job.get();
            return decision;
        }
    }
    return decision;
}

void fail(JobsetWork& work, const std::string& reason, const std::string& message, const Object& job) {
    work.set("Failed", true, reason, message + " (first failed job: " + job.name() + ")", "Warning");
    work.status["terminalState"] = "Failed";
    if (is_true(member(work.status, "conditions"), "RestartingJobSet"))
        work.set("RestartingJobSet", false, "JobSetFailed", "jobset failed");
}

void restart(JobsetWork& work, const Decision& decision, bool counts) {
    work.status["restarts"] = work.restarts() + 1;
    if (counts) work.status["restartsCountTowardsMax"] = int_at(work.status, "restartsCountTowardsMax") + 1;
    const std::string message =
        "applying " + decision.action + " failure policy action (first failed job: " + decision.job->name() + ")";
    work.set("RestartingJobSet", true, decision.reason, message, "Warning");
    work.events.push_back(EmitEvent{work.jobset.key(), "Warning", decision.action + "FailurePolicyAction", message,
                                    "jobset", true, "Reconciling"});
}

}  // namespace

bool apply_failure_policy(JobsetWork& work) {
    const Object* failed = first_failed(work.jobs);
    if (failed == nullptr) return false;
    const Json& policy = member(work.spec(), "failurePolicy");
    if (!policy.is_object()) {
        fail(work, "FailedJobs", "jobset failed due to one or more job failures", *failed);
        return true;
    }
    const Decision decision = decide(work, policy);
    if (decision.action == "FailJobSet") {
        fail(work, "FailJobSetFailurePolicyAction", "applying FailJobSet failure policy action", *decision.job);
    } else if (decision.action == "RestartJobSetAndIgnoreMaxRestarts") {
        restart(work, decision, false);
    } else if (int_at(work.status, "restartsCountTowardsMax") >= int_at(policy, "maxRestarts")) {
        fail(work, "ReachedMaxRestarts", "jobset failed due to reaching max number of restarts", *decision.job);
    } else {
        restart(work, decision, true);
    }
    return true;
}

bool apply_success_policy(JobsetWork& work) {
    const Json& policy = member(work.spec(), "successPolicy");
    const Json& targets = member(policy, "targetReplicatedJobs");
    std::int64_t succeeded = 0, wanted = 0;
    for (const Json& job : work.replicated_jobs()) {
        const std::string name = string_at(job, "name");
        if (!listed(targets, name)) continue;
        const Json* counts = find_named(member(work.status, "replicatedJobsStatus"), name);
        succeeded += counts == nullptr ? 0 : int_at(*counts, "succeeded");
        wanted += int_at(job, "replicas", 1);
    }
    if (string_at(policy, "operator", "All") == "Any") wanted = 1;
    if (succeeded == 0 || succeeded < wanted) return false;
    work.set("Completed", true, "AllJobsCompleted", "jobset completed successfully");
    work.status["terminalState"] = "Completed";
    if (is_true(member(work.status, "conditions"), "RestartingJobSet"))
        work.set("RestartingJobSet", false, "JobSetCompleted", "jobset completed successfully");
    return true;
}

}  // namespace shed::controllers
