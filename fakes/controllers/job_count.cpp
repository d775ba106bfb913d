// Counting pods exactly once: first their uids go into uncountedTerminatedPods, then their finalizer is taken off, then
// they become numbers. Indexed successes are the indexes themselves.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

std::string compress(const std::set<std::int64_t>& indexes) {
    std::string text;
    for (auto at = indexes.begin(); at != indexes.end();) {
        const std::int64_t first = *at;
        std::int64_t last = first;
        while (++at != indexes.end() && *at == last + 1) last = *at;
        if (!text.empty()) text += ",";
        text += std::to_string(first);
        // Two in a row are written 0,1; more 0-2.
        if (last == first + 1) text += "," + std::to_string(last);
        else if (last > first) text += "-" + std::to_string(last);
    }
    return text;
}

std::set<std::int64_t> expand(const std::string& text) {
    std::set<std::int64_t> indexes;
    std::size_t at = 0;
    while (at < text.size()) {
        auto end = text.find(',', at);
        if (end == std::string::npos) end = text.size();
        const std::string part = text.substr(at, end - at);
        const auto dash = part.find('-');
        const std::int64_t first = std::strtoll(part.c_str(), nullptr, 10);
        const std::int64_t last = dash == std::string::npos ? first : std::strtoll(part.c_str() + dash + 1, nullptr, 10);
        for (std::int64_t i = first; i <= last; ++i) indexes.insert(i);
        at = end + 1;
    }
    return indexes;
}

namespace {

const Object* find_pod(const JobWork& work, const std::string& uid) {
    for (const ObjectPtr& pod : work.pods)
        if (pod->uid() == uid) return pod.get();
    return nullptr;
}

bool listed(const Json& list, const std::string& uid) {
    return list.is_array() && std::find(list.begin(), list.end(), Json(uid)) != list.end();
}

// Those whose finalizer is off become numbers.
void flush(JobWork& work, const char* what) {
    if (work.uncounted_count(what) == 0) return;
    Json& list = work.uncounted(what);
    Json kept = Json::array();
    std::int64_t counted = 0;
    for (const Json& uid : list) {
        const Object* pod = find_pod(work, uid.get<std::string>());
        if (pod != nullptr && has_finalizer(*pod, tracking_finalizer)) kept.push_back(uid);
        else ++counted;
    }
    list = std::move(kept);
    if (counted > 0) work.status[what] = int_at(work.status, what) + counted;
}

bool counts_as_failed(const JobWork& work, const Object& pod) {
    const std::string phase = string_at(pod.dom(), "status.phase");
    if (phase == "Failed") return true;
    const bool only_failed = string_at(work.spec(), "podReplacementPolicy") == "Failed";
    return pod.deleting() && phase != "Succeeded" && !only_failed;
}

}  // namespace

void count_pods(JobWork& work) {
    flush(work, "succeeded");
    flush(work, "failed");
    std::set<std::int64_t> indexes = expand(string_at(work.status, "completedIndexes"));
    const std::int64_t completions = int_at(work.spec(), "completions", 1);
    for (const ObjectPtr& pod : work.pods) {
        if (!has_finalizer(*pod, tracking_finalizer)) continue;
        const bool succeeded = string_at(pod->dom(), "status.phase") == "Succeeded";
        if (succeeded && work.indexed()) {
            if (const std::int64_t index = index_of(*pod); index >= 0 && index < completions) indexes.insert(index);
            work.released.push_back(pod.get());
        } else if (succeeded || counts_as_failed(work, *pod)) {
            // A pod that suspension took away is no failure.
            if (!succeeded && work.suspended() && !is_terminal(*pod)) {
                work.released.push_back(pod.get());
                continue;
            }
            const char* what = succeeded ? "succeeded" : "failed";
            if (!listed(work.uncounted(what), pod->uid())) work.uncounted(what).push_back(pod->uid());
            work.released.push_back(pod.get());
        }
    }
    if (!work.indexed() || indexes.empty()) return;
    work.status["completedIndexes"] = compress(indexes);
    work.status["succeeded"] = indexes.size();
}

}  // namespace shed::controllers
