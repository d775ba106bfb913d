#pragma once
// The JobSet controller's parts: statuses, policies, and the Jobs it makes. Rules: sigs.k8s.io/jobset pkg/controllers.
#include "fakes/controllers/common.hpp"

namespace shed::controllers {

// Annotations of exclusive placement.
inline constexpr const char* exclusive_topology = "alpha.jobset.sigs.k8s.io/exclusive-topology";
inline constexpr const char* node_selector_strategy = "alpha.jobset.sigs.k8s.io/node-selector";

struct JobsetWork {
    const Snapshot& cluster;
    const Inputs& in;
    const Object& jobset;
    Json status;                                      // as it will be written
    std::vector<ObjectPtr> active, failed, succeeded;  // Jobs of the present attempt
    std::vector<ObjectPtr> previous;                   // Jobs of earlier attempts, on their way out
    Plan plan = {};
    std::vector<EmitEvent> events = {};  // after the status write

    std::string time() const { return format_time(in.now); }
    const Json& spec() const { return member(jobset.dom(), "spec"); }
    const Json& replicated_jobs() const { return member(spec(), "replicatedJobs"); }
    bool suspended() const { return bool_at(spec(), "suspend"); }
    bool in_order() const { return string_at(spec(), "startupPolicy.startupPolicyOrder") == "InOrder"; }
    std::int64_t restarts() const { return int_at(status, "restarts"); }
    const Json& counts_of(const std::string& replicated_job) const;  // of status.replicatedJobsStatus; or null
    bool has_job(const std::string& name) const;                     // of any attempt
    // Sets the condition and records its event; nothing when it is so already. None is added as False.
    void set(const std::string& type, bool value, const std::string& reason, const std::string& message,
             const std::string& event_type = "Normal");
    EmitEvent event(const std::string& type, const std::string& reason, const std::string& message) const;
};

inline std::int64_t replicas_of(const Json& replicated_job) { return int_at(replicated_job, "replicas", 1); }

void compute_statuses(JobsetWork& work);                                   // jobset_status.cpp
bool apply_failure_policy(JobsetWork& work);                               // true: the pass ends here
bool apply_success_policy(JobsetWork& work);                               // likewise
void end_restart(JobsetWork& work, const char* reason, const char* message);  // RestartingJobSet is over
void create_claims(JobsetWork& work);                                      // jobset_volumes.cpp
void add_claimed_volumes(const JobsetWork& work, Json& pod_spec);
bool dependencies_met(const JobsetWork& work, const Json& replicated_job);  // jobset_startup.cpp
bool all_started(const JobsetWork& work, const Json& replicated_job);
void report_startup(JobsetWork& work, bool completed);
void create_jobs(JobsetWork& work);
void suspend_jobs(JobsetWork& work);                                       // jobset_suspend.cpp
void resume_jobs(JobsetWork& work);
std::string job_name(const JobsetWork& work, const Json& replicated_job, std::int64_t index);  // jobset_jobs.cpp
Json make_job(const JobsetWork& work, const Json& replicated_job, std::int64_t index);

}  // namespace shed::controllers
