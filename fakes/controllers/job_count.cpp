// What the pods of a Job amount to. Each is counted exactly once: first its uid goes into uncountedTerminatedPods, then
// its finalizer is taken off, then it becomes a number. Indexed successes are the indexes themselves.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

std::string compress(const Indexes& indexes) {
    std::string text;
    for (auto at = indexes.begin(); at != indexes.end();) {
        const std::int64_t first = *at;
        std::int64_t last = first;
        while (++at != indexes.end() && *at == last + 1) last = *at;
        if (!text.empty()) text += ",";
        text += std::to_string(first);
        if (last == first + 1) text += "," + std::to_string(last);
        else if (last > first) text += "-" + std::to_string(last);
    }
    return text;
}

Indexes expand(const std::string& text, std::int64_t below) {
    Indexes indexes;
    std::size_t at = 0;
    while (at < text.size()) {
        auto end = text.find(',', at);
        if (end == std::string::npos) end = text.size();
        const std::string part = text.substr(at, end - at);
        const auto dash = part.find('-');
        const std::int64_t first = std::strtoll(part.c_str(), nullptr, 10);
        const std::int64_t last = dash == std::string::npos ? first : std::strtoll(part.c_str() + dash + 1, nullptr, 10);
        for (std::int64_t i = first; i <= last && i < below; ++i) indexes.insert(i);
        at = end + 1;
    }
    return indexes;
}

bool is_terminal(const Object& pod) {
    const std::string phase = string_at(pod.dom(), "status.phase");
    return phase == "Succeeded" || phase == "Failed";
}

bool is_active(const Object& pod) { return !is_terminal(pod) && !pod.deleting(); }

bool is_succeeded(const Object& pod) { return string_at(pod.dom(), "status.phase") == "Succeeded"; }

bool is_failed(const JobWork& work, const Object& pod) {
    if (string_at(pod.dom(), "status.phase") == "Failed") return true;
    // A pod that is taken away may never come to report that it failed.
    return !work.replaces_failed_only() && pod.deleting() && !is_succeeded(pod);
}

std::int64_t index_of(const Object& pod) {
    const Json& annotations = at_path(pod.dom(), "metadata.annotations");
    const Json& text = member(annotations, index_label);
    if (!text.is_string()) return -1;
    char* end = nullptr;
    const std::string digits = text.get<std::string>();
    const std::int64_t index = std::strtoll(digits.c_str(), &end, 10);
    return digits.empty() || *end != '\0' || index < 0 ? -1 : index;
}

bool counts(const JobWork& work, const Object& pod) {
    if (!has_finalizer(pod, tracking_finalizer)) return false;
    if (!work.indexed()) return true;
    const std::int64_t index = index_of(pod);
    return index >= 0 && index < work.completions().value_or(0);
}

Json& uncounted(Json& status, const char* what) {
    Json& list = status["uncountedTerminatedPods"][what];
    if (!list.is_array()) list = Json::array();
    return list;
}

bool listed(const Json& list, const std::string& uid) {
    return list.is_array() && std::find(list.begin(), list.end(), Json(uid)) != list.end();
}

namespace {

std::int64_t size_of(const Json& status, const char* what) {
    const Json& list = member(member(status, "uncountedTerminatedPods"), what);
    return list.is_array() ? static_cast<std::int64_t>(list.size()) : 0;
}

void find_active(JobWork& work) {
    for (const ObjectPtr& pod : work.pods) {
        if (is_active(*pod)) work.active.push_back(pod);
        else if (!is_terminal(*pod)) ++work.terminating;
    }
    for (const ObjectPtr& pod : work.active)
        if (condition_true(pod->dom(), "Ready")) ++work.ready;
    work.active_count = static_cast<std::int64_t>(work.active.size());
}

}  // namespace

void count_pods(JobWork& work) {
    if (work.indexed())
        std::stable_sort(work.pods.begin(), work.pods.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
            return index_of(*a) < index_of(*b);
        });
    find_active(work);
    const Json& known = member(work.status, "uncountedTerminatedPods");
    std::vector<const Object*> succeeded, failed;
    for (const ObjectPtr& pod : work.pods) {
        if (!counts(work, *pod)) continue;
        if (is_succeeded(*pod) && !listed(member(known, "succeeded"), pod->uid())) succeeded.push_back(pod.get());
        if (is_failed(work, *pod) && !listed(member(known, "failed"), pod->uid())) failed.push_back(pod.get());
    }
    const auto counted = std::count_if(failed.begin(), failed.end(), [&](const Object* pod) {
        return match_failure_policy(work, *pod).counts();
    });
    work.succeeded = int_at(work.status, "succeeded") + static_cast<std::int64_t>(succeeded.size()) +
                     size_of(work.status, "succeeded");
    work.failed = int_at(work.status, "failed") + counted + size_of(work.status, "failed");
    work.backoff = next_backoff(Backoff::read(work.in.memory), succeeded, failed);
    if (!work.indexed()) return;
    work.done_before = expand(string_at(work.status, "completedIndexes"), work.completions().value_or(0));
    work.done = work.done_before;
    for (const ObjectPtr& pod : work.pods)
        if (counts(work, *pod) && is_succeeded(*pod)) work.done.insert(index_of(*pod));
    work.succeeded = static_cast<std::int64_t>(work.done.size());
    if (work.limits_each_index()) find_failed_indexes(work);
}

}  // namespace shed::controllers
