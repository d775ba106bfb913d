// Whether a Job has failed or succeeded: first the target condition, the terminal one when every pod is accounted for.
#include "fakes/controllers/job.hpp"

namespace shed::controllers {

namespace {

std::int64_t restarts_of(const Object& pod) {
    std::int64_t sum = 0;
    for (const char* path : {"status.initContainerStatuses", "status.containerStatuses"})
        if (const Json& list = at_path(pod.dom(), path); list.is_array())
            for (const Json& container : list) sum += int_at(container, "restartCount");
    return sum;
}

// restartPolicy OnFailure: containers restart in place, and their restarts are what counts against the limit.
bool past_backoff_limit_on_failure(const JobWork& work, std::int64_t limit) {
    if (string_at(work.spec(), "template.spec.restartPolicy") != "OnFailure") return false;
    std::int64_t restarts = 0;
    for (const ObjectPtr& pod : work.pods)
        if (!is_terminal(*pod)) restarts += restarts_of(*pod);
    return limit == 0 ? restarts > 0 : restarts >= limit;
}

void look_for_failure(JobWork& work) {
    const std::int64_t limit = int_at(work.spec(), "backoffLimit", 6);
    const std::int64_t failed =
        int_at(work.status, "failed") + static_cast<std::int64_t>(work.uncounted_count("failed"));
    if (failed > limit || past_backoff_limit_on_failure(work, limit)) {
        work.condition("FailureTarget", true, "BackoffLimitExceeded", "Job has reached the specified backoff limit");
        return;
    }
    const Json& seconds = member(work.spec(), "activeDeadlineSeconds");
    const auto start = parse_time(string_at(work.status, "startTime"));
    if (!seconds.is_number_integer() || !start || work.suspended()) return;
    const Time deadline = *start + std::chrono::seconds(seconds.get<std::int64_t>());
    if (work.in.now >= deadline)
        work.condition("FailureTarget", true, "DeadlineExceeded", "Job was active longer than specified deadline");
    else work.plan.look_again_at = deadline;
}

bool reached_completions(const JobWork& work) {
    const std::int64_t succeeded =
        int_at(work.status, "succeeded") + static_cast<std::int64_t>(work.uncounted_count("succeeded"));
    const Json& completions = member(work.spec(), "completions");
    if (completions.is_number_integer()) return succeeded >= completions.get<std::int64_t>();
    // A work queue is done when one pod has succeeded and none is left.
    for (const ObjectPtr& pod : work.pods)
        if (is_active(*pod)) return false;
    return succeeded > 0;
}

// Everything is accounted for: nothing uncounted, nothing running, nothing on its way out.
bool settled(const JobWork& work) {
    if (work.uncounted_count("failed") + work.uncounted_count("succeeded") > 0) return false;
    if (!work.released.empty()) return false;
    for (const ObjectPtr& pod : work.pods)
        if (!is_terminal(*pod)) return false;
    return true;
}

}  // namespace

void decide_end(JobWork& work) {
    if (!work.has("FailureTarget") && !work.has("SuccessCriteriaMet")) {
        look_for_failure(work);
        if (!work.has("FailureTarget") && reached_completions(work))
            work.condition("SuccessCriteriaMet", true, "CompletionsReached", "Reached expected number of succeeded pods");
    }
    if (!settled(work)) return;
    if (work.has("FailureTarget")) {
        const Json target = condition_in(member(work.status, "conditions"), "FailureTarget");
        const std::string reason = string_at(target, "reason"), message = string_at(target, "message");
        work.condition("Failed", true, reason, message);
        work.event("Warning", reason, message);
    } else if (work.has("SuccessCriteriaMet")) {
        work.condition("Complete", true, "CompletionsReached", "Reached expected number of succeeded pods");
        work.status["completionTime"] = format_time(work.in.now);
        work.event("Normal", "Completed", "Job completed");
    }
}

}  // namespace shed::controllers
