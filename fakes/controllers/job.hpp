#pragma once
// The Job controller's parts.
#include "fakes/controllers/common.hpp"

#include <set>

namespace shed::controllers {

inline constexpr const char* tracking_finalizer = "batch.kubernetes.io/job-tracking";
inline constexpr const char* index_label = "batch.kubernetes.io/job-completion-index";

// Completed indexes as "0-2,5".
std::string compress(const std::set<std::int64_t>& indexes);
std::set<std::int64_t> expand(const std::string& text);

struct JobWork {
    const Snapshot& cluster;
    const Inputs& in;
    const Object& job;
    Json status;
    std::vector<ObjectPtr> pods = {};
    Plan plan = {};
    std::vector<EmitEvent> events = {};          // after the status write
    std::vector<const Object*> released = {};    // pods whose finalizer goes after the status write
    std::vector<const Object*> deleted = {};     // active pods this pass deletes
    std::int64_t created = 0;                    // pods this pass creates

    const Json& spec() const { return member(job.dom(), "spec"); }
    bool indexed() const { return string_at(spec(), "completionMode") == "Indexed"; }
    bool suspended() const { return bool_at(spec(), "suspend"); }
    std::int64_t parallelism() const { return int_at(spec(), "parallelism", 1); }
    Json& uncounted(const char* what);
    std::size_t uncounted_count(const char* what) const;
    void event(const std::string& type, const std::string& reason, const std::string& message);
    bool condition(const std::string& type, bool value, const std::string& reason, const std::string& message);
    bool has(const std::string& type) const { return is_true(member(status, "conditions"), type); }
};

bool is_terminal(const Object& pod);  // phase Succeeded or Failed
bool is_active(const Object& pod);    // neither terminal nor being deleted
bool has_finalizer(const Object& object, std::string_view name);
std::int64_t index_of(const Object& pod);  // -1 when it has none
Json make_pod(const JobWork& work, std::int64_t index, int attempt);

void count_pods(JobWork& work);     // uncountedTerminatedPods, succeeded, failed, completedIndexes
void decide_end(JobWork& work);     // FailureTarget, SuccessCriteriaMet, and at last Failed or Complete
void manage_pods(JobWork& work);    // creates and deletes

}  // namespace shed::controllers
