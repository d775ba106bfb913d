// When which Jobs are made: dependsOn, startupPolicy InOrder, and BlockingRecreate after a restart.
#include "fakes/controllers/jobset.hpp"

namespace shed::controllers {

namespace {

void create_missing(JobsetWork& work, const Json& replicated_job) {
    const bool blocking = string_at(work.spec(), "failurePolicy.restartStrategy") == "BlockingRecreate";
    if (blocking && !work.previous.empty()) return;
    for (std::int64_t i = 0; i < replicas_of(replicated_job); ++i) {
        const std::string name = job_name(work, replicated_job, i);
        // An old attempt's Job keeps the name until it is gone.
        if (work.has_job(name)) continue;
        Create create{make_job(work, replicated_job, i)};
        create.refusal =
            work.event("Warning", "JobCreationFailed", "job \"" + name + "\" creation failed with error: ");
        work.plan.actions.push_back(std::move(create));
    }
}

}  // namespace

bool dependencies_met(const JobsetWork& work, const Json& replicated_job) {
    const Json& dependencies = member(replicated_job, "dependsOn");
    if (!dependencies.is_array()) return true;
    for (const Json& dependency : dependencies) {
        const std::string name = string_at(dependency, "name");
        const Json* other = find_named(work.replicated_jobs(), name);
        const Json& counts = work.counts_of(name);
        if (other == nullptr || counts.is_null()) return false;
        const std::int64_t succeeded = int_at(counts, "succeeded");
        const std::int64_t started = int_at(counts, "failed") + int_at(counts, "ready") + succeeded;
        const bool complete = string_at(dependency, "status") == "Complete";
        if (replicas_of(*other) != (complete ? succeeded : started)) return false;
    }
    return true;
}

bool all_started(const JobsetWork& work, const Json& replicated_job) {
    const Json& counts = work.counts_of(string_at(replicated_job, "name"));
    return int_at(counts, "failed") + int_at(counts, "ready") + int_at(counts, "succeeded") ==
           replicas_of(replicated_job);
}

void report_startup(JobsetWork& work, bool completed) {
    if (completed)
        work.set("StartupPolicyCompleted", true, "InOrderStartupPolicyCompleted",
                 "in order startup policy has completed");
    else work.set("StartupPolicyInProgress", true, "InOrderStartupPolicyInProgress",
                  "in order startup policy is in progress");
}

void create_jobs(JobsetWork& work) {
    const bool one_by_one = work.in_order() && !work.suspended();
    for (const Json& replicated_job : work.replicated_jobs()) {
        if (!dependencies_met(work, replicated_job)) continue;
        if (one_by_one && all_started(work, replicated_job)) continue;
        create_missing(work, replicated_job);
        if (!one_by_one) continue;
        report_startup(work, false);
        return;
    }
    if (one_by_one) report_startup(work, true);
}

}  // namespace shed::controllers
