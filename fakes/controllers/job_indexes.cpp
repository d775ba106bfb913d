// backoffLimitPerIndex: each index fails by itself. The count of its failures is handed from pod to pod in an annotation,
// so a failed pod keeps its finalizer until its replacement is there.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr const char* failures_annotation = "batch.kubernetes.io/job-index-failure-count";
constexpr const char* ignored_annotation = "batch.kubernetes.io/job-index-ignored-failure-count";

std::int64_t annotated(const Object& pod, const char* name) {
    const Json& text = member(at_path(pod.dom(), "metadata.annotations"), name);
    if (!text.is_string()) return 0;
    return std::max<std::int64_t>(std::strtoll(text.get_ref<const std::string&>().c_str(), nullptr, 10), 0);
}

std::int64_t all_failures_of(const Object& pod) {
    return failures_of_index(pod) + annotated(pod, ignored_annotation);
}

bool fails_its_index(const JobWork& work, const Object& pod) {
    if (!is_failed(work, pod)) return false;
    const FailureMatch match = match_failure_policy(work, pod);
    if (match.action == "FailIndex") return true;
    return match.counts() && failures_of_index(pod) >= int_at(work.spec(), "backoffLimitPerIndex");
}

Indexes active_indexes(const JobWork& work) {
    Indexes indexes;
    for (const ObjectPtr& pod : work.active)
        if (const std::int64_t index = index_of(*pod); index >= 0) indexes.insert(index);
    return indexes;
}

}  // namespace

std::int64_t failures_of_index(const Object& pod) { return annotated(pod, failures_annotation); }

void find_failed_indexes(JobWork& work) {
    work.failed_indexes = expand(string_at(work.status, "failedIndexes"), work.completions().value_or(0));
    for (const ObjectPtr& pod : work.pods)
        if (counts(work, *pod) && fails_its_index(work, *pod)) work.failed_indexes.insert(index_of(*pod));
    const Indexes running = active_indexes(work);
    for (const ObjectPtr& pod : work.pods) {
        if (!counts(work, *pod) || !is_failed(work, *pod)) continue;
        const std::int64_t index = index_of(*pod);
        if (work.done.contains(index) || work.failed_indexes.contains(index) || running.contains(index)) continue;
        const Object*& kept = work.kept_for_replacement[index];
        if (kept == nullptr || (all_failures_of(*kept) <= all_failures_of(*pod) &&
                                finished_time(*kept) <= finished_time(*pod)))
            kept = pod.get();
    }
}

void count_failures_in(const JobWork& work, const Object* replaced, Json& annotations) {
    std::int64_t failures = 0, ignored = 0;
    if (replaced != nullptr) {
        failures = failures_of_index(*replaced);
        ignored = annotated(*replaced, ignored_annotation);
        ++(match_failure_policy(work, *replaced).counts() ? failures : ignored);
    }
    annotations[failures_annotation] = std::to_string(failures);
    if (ignored > 0) annotations[ignored_annotation] = std::to_string(ignored);
}

std::vector<std::int64_t> pending_indexes(const JobWork& work, std::int64_t count) {
    Indexes taken = active_indexes(work);
    taken.insert(work.done.begin(), work.done.end());
    taken.insert(work.failed_indexes.begin(), work.failed_indexes.end());
    if (work.replaces_failed_only())
        for (const ObjectPtr& pod : work.pods)
            if (pod->deleting() && !is_terminal(*pod)) taken.insert(index_of(*pod));
    std::vector<std::int64_t> pending;
    for (std::int64_t index = 0; index < work.completions().value_or(0); ++index) {
        if (static_cast<std::int64_t>(pending.size()) == count) break;
        if (!taken.contains(index)) pending.push_back(index);
    }
    return pending;
}

DueIndexes due_indexes(const JobWork& work, const std::vector<std::int64_t>& indexes) {
    DueIndexes due;
    for (const std::int64_t index : indexes) {
        const auto kept = work.kept_for_replacement.find(index);
        Duration wait{};
        if (kept != work.kept_for_replacement.end())
            wait = remaining({all_failures_of(*kept->second) + 1, finished_time(*kept->second)}, work.in.now);
        if (wait == Duration{}) due.now.push_back(index);
        else if (due.wait == Duration{} || wait < due.wait) due.wait = wait;
    }
    return due;
}

}  // namespace shed::controllers
