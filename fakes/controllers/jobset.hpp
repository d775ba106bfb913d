#pragma once
// The JobSet controller's parts: statuses, policies, and the Jobs it makes.
#include "fakes/controllers/common.hpp"

namespace shed::controllers {

struct JobsetWork {
    const Snapshot& cluster;
    const Inputs& in;
    const Object& jobset;
    Json status;                 // as it will be written
    std::vector<ObjectPtr> jobs; // of the present attempt
    std::vector<ObjectPtr> old_jobs;
    Plan plan = {};
    std::vector<EmitEvent> events = {};  // one per condition change, after the status write

    std::string time() const { return format_time(in.now); }
    const Json& spec() const { return member(jobset.dom(), "spec"); }
    const Json& replicated_jobs() const { return member(spec(), "replicatedJobs"); }
    bool suspended() const { return bool_at(spec(), "suspend"); }
    std::int64_t restarts() const { return int_at(status, "restarts"); }
    // Sets the condition and records its event; nothing when it is so already.
    void set(const std::string& type, bool value, const std::string& reason, const std::string& message,
             const std::string& event_type = "Normal");
};

bool job_finished(const Object& job);
bool job_failed(const Object& job);
bool job_succeeded(const Object& job);

void compute_statuses(JobsetWork& work);
bool apply_failure_policy(JobsetWork& work);  // true: the pass ends here
bool apply_success_policy(JobsetWork& work);
void create_jobs(JobsetWork& work);
void suspend_jobs(JobsetWork& work);
void resume_jobs(JobsetWork& work);
bool dependencies_met(const JobsetWork& work, const Json& replicated_job);
Json make_job(const JobsetWork& work, const Json& replicated_job, std::int64_t index);

}  // namespace shed::controllers
