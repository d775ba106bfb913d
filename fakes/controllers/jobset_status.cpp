// JobSet.status.replicatedJobsStatus: numbers of Jobs, not pods, one entry per replicatedJob, names descending.
#include "fakes/controllers/jobset.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr const char* replicated_job_label = "jobset.sigs.k8s.io/replicatedjob-name";

Json no_jobs(const std::string& name) {
    return {{"name", name}, {"ready", 0}, {"succeeded", 0}, {"failed", 0}, {"active", 0}, {"suspended", 0}};
}

void add(Json& counts, const char* what, bool holds = true) {
    if (holds) counts[what] = int_at(counts, what) + 1;
}

void count_active(Json& counts, const Json& job) {
    const std::int64_t parallelism = int_at(job, "spec.parallelism", 1);
    const std::int64_t pods_wanted = std::min(parallelism, int_at(job, "spec.completions", parallelism));
    add(counts, "ready", int_at(job, "status.succeeded") + int_at(job, "status.ready") >= pods_wanted);
    add(counts, "active", int_at(job, "status.active") > 0);
    add(counts, "suspended", bool_at(job, "spec.suspend"));
}

}  // namespace

const Json& JobsetWork::counts_of(const std::string& replicated_job) const {
    static const Json none;
    const Json* counts = find_named(member(status, "replicatedJobsStatus"), replicated_job);
    return counts == nullptr ? none : *counts;
}

bool JobsetWork::has_job(const std::string& name) const {
    for (const auto* list : {&active, &failed, &succeeded, &previous})
        for (const ObjectPtr& job : *list)
            if (job->name() == name) return true;
    return false;
}

void compute_statuses(JobsetWork& work) {
    std::vector<Json> list;
    for (const Json& replicated : work.replicated_jobs()) {
        Json counts = no_jobs(string_at(replicated, "name"));
        const auto is_its = [&](const ObjectPtr& job) {
            return job->label(replicated_job_label) == string_at(replicated, "name");
        };
        for (const ObjectPtr& job : work.active)
            if (is_its(job)) count_active(counts, job->dom());
        for (const ObjectPtr& job : work.succeeded) add(counts, "succeeded", is_its(job));
        for (const ObjectPtr& job : work.failed) add(counts, "failed", is_its(job));
        list.push_back(std::move(counts));
    }
    std::sort(list.begin(), list.end(),
              [](const Json& a, const Json& b) { return string_at(a, "name") > string_at(b, "name"); });
    if (!list.empty()) work.status["replicatedJobsStatus"] = list;
}

}  // namespace shed::controllers
