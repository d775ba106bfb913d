// successPolicy: how many of which Jobs have to succeed.
#include "fakes/controllers/jobset.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

bool is_target(const JobsetWork& work, std::string_view replicated_job) {
    const Json& targets = at_path(work.spec(), "successPolicy.targetReplicatedJobs");
    return !targets.is_array() || targets.empty() ||
           std::find(targets.begin(), targets.end(), Json(replicated_job)) != targets.end();
}

}  // namespace

bool apply_success_policy(JobsetWork& work) {
    if (work.succeeded.empty()) return false;
    const auto succeeded = std::count_if(work.succeeded.begin(), work.succeeded.end(), [&](const ObjectPtr& job) {
        return is_target(work, job->label("jobset.sigs.k8s.io/replicatedjob-name"));
    });
    std::int64_t wanted = 1;
    if (string_at(work.spec(), "successPolicy.operator", "All") == "All") {
        wanted = 0;
        for (const Json& job : work.replicated_jobs())
            if (is_target(work, string_at(job, "name"))) wanted += replicas_of(job);
    }
    if (succeeded < wanted) return false;
    work.set("Completed", true, "AllJobsCompleted", "jobset completed successfully");
    end_restart(work, "JobSetCompleted", "jobset completed successfully");
    work.status["terminalState"] = "Completed";
    return true;
}

}  // namespace shed::controllers
