#pragma once
// The Job controller's parts. One pass: count what has ended, see whether the Job is decided, create or delete pods,
// write the status, let counted pods go, and write the status again with what became of them.
#include "fakes/controllers/common.hpp"

#include <set>

namespace shed::controllers {

inline constexpr const char* tracking_finalizer = "batch.kubernetes.io/job-tracking";
inline constexpr const char* index_label = "batch.kubernetes.io/job-completion-index";

using Indexes = std::set<std::int64_t>;

// Indexes as "0-2,5"; two in a row are written 0,1.
std::string compress(const Indexes& indexes);
Indexes expand(const std::string& text, std::int64_t below);

// How the Job ends, or has been decided to end.
struct JobVerdict {
    bool success = false;
    std::string reason, message;
    bool fresh = true;  // not written down yet
};

// Consecutive failures and the time of the last, which delay the next pod.
struct Backoff {
    std::int64_t failures = 0;
    std::optional<Time> last = {};
    static Backoff read(const Json& memory);
    Json json() const;
};

struct JobWork {
    const Snapshot& cluster;
    const Inputs& in;
    const Object& job;
    Json status;
    std::vector<ObjectPtr> pods = {};    // all of the Job's, by completion index when it has those
    std::vector<ObjectPtr> active = {};  // neither ended nor on their way out
    std::int64_t terminating = 0, ready = 0;
    std::int64_t succeeded = 0, failed = 0;  // as known now, before anything is written
    Indexes done_before = {}, done = {};     // completed indexes, written and known now
    Indexes failed_indexes = {};
    // Per index: the failed pod that stays until its replacement has taken over its count of failures.
    std::map<std::int64_t, const Object*> kept_for_replacement = {};
    Backoff backoff = {};
    std::optional<JobVerdict> verdict = {};
    bool must_write = false;
    Plan plan = {};
    std::vector<EmitEvent> events = {};  // after the last status write

    const Json& spec() const { return member(job.dom(), "spec"); }
    bool indexed() const { return string_at(spec(), "completionMode") == "Indexed"; }
    bool suspended() const { return bool_at(spec(), "suspend"); }
    bool limits_each_index() const { return indexed() && member(spec(), "backoffLimitPerIndex").is_number(); }
    std::optional<std::int64_t> completions() const;
    std::int64_t parallelism() const { return int_at(spec(), "parallelism", 1); }
    // Only ended pods are replaced; others as soon as they are on their way out.
    bool replaces_failed_only() const;
    std::int64_t active_count = 0;  // after this pass's creations and deletions

    bool condition(const std::string& type, bool value, const std::string& reason, const std::string& message);
    bool has(const std::string& type) const { return is_true(member(status, "conditions"), type); }
    void event(const std::string& type, const std::string& reason, const std::string& message);
    void look_again(Time at);
};

// ---- job_count.cpp
bool is_terminal(const Object& pod);  // phase Succeeded or Failed
bool is_active(const Object& pod);
bool is_failed(const JobWork& work, const Object& pod);
bool is_succeeded(const Object& pod);
std::int64_t index_of(const Object& pod);  // -1 when it has none
bool counts(const JobWork& work, const Object& pod);  // carries the finalizer, and a valid index if it needs one
Json& uncounted(Json& status, const char* what);
bool listed(const Json& list, const std::string& uid);
void count_pods(JobWork& work);

// ---- job_backoff.cpp
Time finished_time(const Object& pod);
Backoff next_backoff(const Backoff& before, const std::vector<const Object*>& succeeded,
                     const std::vector<const Object*>& failed);
// How long the next pod has to wait yet; zero: it need not.
Duration remaining(const Backoff& backoff, Time now);

// ---- job_policies.cpp: podFailurePolicy and successPolicy
struct FailureMatch {
    std::string action;   // of the first rule that matches; empty: none does
    std::string message;  // of FailJob
    bool counts() const { return action != "Ignore"; }
};
FailureMatch match_failure_policy(const JobWork& work, const Object& pod);
std::string matched_success_policy(const JobWork& work);  // the message; empty: not met

// ---- job_indexes.cpp: backoffLimitPerIndex
std::int64_t failures_of_index(const Object& pod);
void find_failed_indexes(JobWork& work);
void count_failures_in(const JobWork& work, const Object* replaced, Json& pod_annotations);
std::vector<std::int64_t> pending_indexes(const JobWork& work, std::int64_t count);
// Those of `indexes` whose back-off is over; when none is, when the first will be.
struct DueIndexes {
    std::vector<std::int64_t> now = {};
    Duration wait{};
};
DueIndexes due_indexes(const JobWork& work, const std::vector<std::int64_t>& indexes);

// ---- job_end.cpp, job_pods.cpp, job_status.cpp
void judge(JobWork& work);        // fills verdict
void manage_pods(JobWork& work);  // creates and deletes
void delete_active(JobWork& work);
void conclude(JobWork& work);  // enough pods have succeeded, or the Job is suspended or resumed
Json make_pod(const JobWork& work, std::int64_t index, int attempt);
void write_status(JobWork& work);
void release(Plan& plan, const Object& pod);  // takes the tracking finalizer off

}  // namespace shed::controllers
