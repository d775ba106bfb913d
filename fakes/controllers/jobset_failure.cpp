// failurePolicy: what a failed Job means for its JobSet. Without one, the end.
#include "fakes/controllers/jobset.hpp"

#include <algorithm>
#include <regex>

namespace shed::controllers {

namespace {

bool listed_or_none(const Json& list, const std::string& value) {
    return !list.is_array() || list.empty() || std::find(list.begin(), list.end(), Json(value)) != list.end();
}

bool matches_any_or_none(const Json& patterns, const std::string& text) {
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

bool applies(const Json& rule, const Object& job) {
    const Json& failure = condition_of(job.dom(), "Failed");
    const std::string target(job.label("jobset.sigs.k8s.io/replicatedjob-name"));
    return listed_or_none(member(rule, "onJobFailureReasons"), string_at(failure, "reason")) &&
           matches_any_or_none(member(rule, "onJobFailureMessagePatterns"), string_at(failure, "message")) &&
           listed_or_none(member(rule, "targetReplicatedJobs"), target);
}

// The one that failed first, of all or of those that a rule applies to.
const Object* first_failed(const JobsetWork& work, const Json* rule = nullptr) {
    const Object* first = nullptr;
    std::string first_time;
    for (const ObjectPtr& job : work.failed) {
        if (rule != nullptr && !applies(*rule, *job)) continue;
        const std::string time = string_at(condition_of(job->dom(), "Failed"), "lastTransitionTime");
        if (first != nullptr && time >= first_time) continue;
        first = job.get();
        first_time = time;
    }
    return first;
}

std::string naming(const std::string& text, const Object& job) {
    return text + " (first failed job: " + job.name() + ")";
}

void fail(JobsetWork& work, const std::string& reason, const std::string& text, const Object& job) {
    work.set("Failed", true, reason, naming(text, job), "Warning");
    end_restart(work, "JobSetFailed", "jobset failed");
    work.status["terminalState"] = "Failed";
}

struct Decision {
    std::string action = "RestartJobSet", reason = "DefaultFailurePolicy";
    const Object* job = nullptr;
};

Decision decide(const JobsetWork& work, const Json& policy) {
    if (const Json& rules = member(policy, "rules"); rules.is_array())
        for (const Json& rule : rules)
            if (const Object* job = first_failed(work, &rule))
                return {string_at(rule, "action"), "FailurePolicy_" + string_at(rule, "name"), job};
    Decision by_default;
    by_default.job = first_failed(work);
    return by_default;
}

// The next pass finds the Jobs to be of an earlier attempt, deletes them and makes new ones.
void restart(JobsetWork& work, const Decision& decision, bool counts) {
    work.status["restarts"] = work.restarts() + 1;
    if (counts) work.status["restartsCountTowardsMax"] = int_at(work.status, "restartsCountTowardsMax") + 1;
    const std::string message = naming("applying " + decision.action + " failure policy action", *decision.job);
    work.set("RestartingJobSet", true, decision.reason, message, "Warning");
    work.events.push_back(work.event("Warning", decision.action + "FailurePolicyAction", message));
}

}  // namespace

void end_restart(JobsetWork& work, const char* reason, const char* message) {
    work.set("RestartingJobSet", false, reason, message);
}

bool apply_failure_policy(JobsetWork& work) {
    if (work.failed.empty()) return false;
    const Json& policy = member(work.spec(), "failurePolicy");
    if (!policy.is_object()) {
        fail(work, "FailedJobs", "jobset failed due to one or more job failures", *first_failed(work));
        return true;
    }
    const Decision decision = decide(work, policy);
    if (decision.action == "FailJobSet") {
        fail(work, "FailJobSetFailurePolicyAction", "applying FailJobSet failure policy action", *decision.job);
    } else if (decision.action == "RestartJobSetAndIgnoreMaxRestarts") {
        restart(work, decision, false);
    } else if (decision.action != "RestartJobSet") {
        // The webhook refuses such rules; one that was stored before it ran gets no further here either.
        work.plan.failed = decision.action + " failure policy action cannot be used when the feature gate RestartJob is disabled";
    } else if (int_at(work.status, "restartsCountTowardsMax") >= int_at(policy, "maxRestarts")) {
        fail(work, "ReachedMaxRestarts", "jobset failed due to reaching max number of restarts", *decision.job);
    } else {
        restart(work, decision, true);
    }
    return true;
}

}  // namespace shed::controllers
