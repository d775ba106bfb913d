// Whether a Job is decided: what was decided before, then failures, then successes.
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

std::optional<JobVerdict> decided_before(const JobWork& work) {
    for (const char* type : {"SuccessCriteriaMet", "FailureTarget"}) {
        const Json& condition = condition_in(member(work.status, "conditions"), type);
        if (string_at(condition, "status") != "True") continue;
        return JobVerdict{type == std::string_view("SuccessCriteriaMet"), string_at(condition, "reason"),
                          string_at(condition, "message"), false};
    }
    return std::nullopt;
}

std::optional<JobVerdict> failed_by_policy(const JobWork& work) {
    for (const ObjectPtr& pod : work.pods) {
        if (!is_failed(work, *pod)) continue;
        const FailureMatch match = match_failure_policy(work, *pod);
        if (match.action == "FailJob") return JobVerdict{false, "PodFailurePolicy", match.message};
    }
    return std::nullopt;
}

std::optional<JobVerdict> past_limits(JobWork& work) {
    const std::int64_t limit = int_at(work.spec(), "backoffLimit", 6);
    if (work.failed > limit || past_backoff_limit_on_failure(work, limit))
        return JobVerdict{false, "BackoffLimitExceeded", "Job has reached the specified backoff limit"};
    const Json& seconds = member(work.spec(), "activeDeadlineSeconds");
    const auto start = parse_time(string_at(work.status, "startTime"));
    if (!seconds.is_number_integer() || !start || work.suspended()) return std::nullopt;
    const Time deadline = *start + std::chrono::seconds(seconds.get<std::int64_t>());
    if (work.in.now >= deadline)
        return JobVerdict{false, "DeadlineExceeded", "Job was active longer than specified deadline"};
    work.look_again(deadline);
    return std::nullopt;
}

std::optional<JobVerdict> failed_by_index(const JobWork& work) {
    if (!work.limits_each_index() || work.failed_indexes.empty()) return std::nullopt;
    const auto failed = static_cast<std::int64_t>(work.failed_indexes.size());
    const Json& most = member(work.spec(), "maxFailedIndexes");
    if (most.is_number_integer() && failed > most.get<std::int64_t>())
        return JobVerdict{false, "MaxFailedIndexesExceeded",
                          "Job has exceeded the specified maximal number of failed indexes"};
    if (failed + work.succeeded >= work.completions().value_or(0))
        return JobVerdict{false, "FailedIndexes", "Job has failed indexes"};
    return std::nullopt;
}

std::optional<JobVerdict> succeeded_by_policy(const JobWork& work) {
    if (!work.indexed()) return std::nullopt;
    const std::string message = matched_success_policy(work);
    if (message.empty()) return std::nullopt;
    return JobVerdict{true, "SuccessPolicy", message};
}

}  // namespace

void judge(JobWork& work) {
    work.verdict = decided_before(work);
    if (!work.verdict) work.verdict = failed_by_policy(work);
    if (!work.verdict) work.verdict = past_limits(work);
    if (!work.verdict) work.verdict = failed_by_index(work);
    if (!work.verdict) work.verdict = succeeded_by_policy(work);
}

}  // namespace shed::controllers
