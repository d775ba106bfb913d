// JobSet.status.replicatedJobsStatus: numbers of Jobs, not pods, one entry per replicatedJob, names descending.
#include "fakes/controllers/jobset.hpp"

#include <algorithm>

namespace shed::controllers {

bool job_failed(const Object& job) { return condition_true(job.dom(), "Failed"); }
bool job_succeeded(const Object& job) { return condition_true(job.dom(), "Complete"); }
bool job_finished(const Object& job) { return job_failed(job) || job_succeeded(job); }

namespace {

Json empty_counts(const std::string& name) {
    return {{"name", name}, {"ready", 0},  {"succeeded", 0},
            {"failed", 0},  {"active", 0}, {"suspended", 0}};
}

void count(Json& counts, const Object& job) {
    const Json& dom = job.dom();
    const auto add = [&](const char* name) { counts[name] = int_at(counts, name) + 1; };
    if (job_succeeded(job)) {
        add("succeeded");
        return;
    }
    if (job_failed(job)) {
        add("failed");
        return;
    }
    const std::int64_t parallelism = int_at(dom, "spec.parallelism", 1);
    const std::int64_t pods_wanted = std::min(parallelism, int_at(dom, "spec.completions", parallelism));
    const std::int64_t good = int_at(dom, "status.succeeded") + int_at(dom, "status.ready");
    if (bool_at(dom, "spec.suspend")) add("suspended");
    else if (good >= pods_wanted) add("ready");
    if (int_at(dom, "status.active") > 0) add("active");
}

}  // namespace

void compute_statuses(JobsetWork& work) {
    std::vector<Json> list;
    for (const Json& replicated : work.replicated_jobs()) {
        const std::string name = string_at(replicated, "name");
        Json counts = empty_counts(name);
        for (const ObjectPtr& job : work.jobs)
            if (job->label("jobset.sigs.k8s.io/replicatedjob-name") == name) count(counts, *job);
        list.push_back(std::move(counts));
    }
    std::sort(list.begin(), list.end(),
              [](const Json& a, const Json& b) { return string_at(a, "name") > string_at(b, "name"); });
    const Json fresh(list);
    if (member(work.status, "replicatedJobsStatus") == fresh) return;
    work.status["replicatedJobsStatus"] = fresh;
    if (!work.status.contains("restarts")) work.status["restarts"] = 0;
}

}  // namespace shed::controllers
