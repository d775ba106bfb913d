// How long a Job waits before it makes another pod after failures.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr Duration first_wait = std::chrono::seconds(10);
constexpr Duration longest_wait = std::chrono::minutes(10);

bool is_sidecar(const Object& pod, const std::string& name) {
    const Json& list = at_path(pod.dom(), "spec.initContainers");
    const Json* container = find_named(list, name);
    return container != nullptr && string_at(*container, "restartPolicy") == "Always";
}

// The latest end of the containers, when all have ended. Sidecars end last.
std::optional<Time> containers_ended(const Object& pod) {
    std::optional<Time> last;
    for (const char* path : {"status.containerStatuses", "status.initContainerStatuses"}) {
        const Json& list = at_path(pod.dom(), path);
        if (!list.is_array()) continue;
        for (const Json& container : list) {
            const bool init = path == std::string_view("status.initContainerStatuses");
            if (init && !is_sidecar(pod, string_at(container, "name"))) continue;
            const auto ended = parse_time(string_at(container, "state.terminated.finishedAt"));
            if (!ended) return std::nullopt;
            last = std::max(last.value_or(*ended), *ended);
        }
    }
    return last;
}

}  // namespace

Time finished_time(const Object& pod) {
    if (const auto ended = containers_ended(pod)) return *ended;
    const Json& ready = condition_of(pod.dom(), "Ready");
    if (string_at(ready, "status") == "False")
        if (const auto since = parse_time(string_at(ready, "lastTransitionTime"))) return *since;
    if (const auto deletion = pod.deletion_timestamp())
        return *deletion - std::chrono::seconds(int_at(pod.dom(), "metadata.deletionGracePeriodSeconds"));
    return pod.creation_timestamp();
}

Backoff Backoff::read(const Json& memory) {
    return {int_at(memory, "failures"), parse_time(string_at(memory, "last"))};
}

Json Backoff::json() const {
    if (failures == 0) return nullptr;
    return {{"failures", failures}, {"last", format_micro_time(last.value_or(Time{}))}};
}

Backoff next_backoff(const Backoff& before, const std::vector<const Object*>& succeeded,
                     const std::vector<const Object*>& failed) {
    if (succeeded.empty() && failed.empty()) return before;
    Backoff next = succeeded.empty() ? before : Backoff{};
    // Only what failed after the last success counts.
    std::optional<Time> last_success;
    for (const Object* pod : succeeded)
        last_success = std::max(last_success.value_or(finished_time(*pod)), finished_time(*pod));
    for (const Object* pod : failed) {
        const Time ended = finished_time(*pod);
        if (last_success && ended <= *last_success) continue;
        ++next.failures;
        next.last = std::max(next.last.value_or(ended), ended);
    }
    return next;
}

Duration remaining(const Backoff& backoff, Time now) {
    if (backoff.failures == 0 || !backoff.last) return Duration{};
    const auto doublings = std::min<std::int64_t>(backoff.failures - 1, 10);
    const Duration wait = std::min<Duration>(first_wait * (1LL << doublings), longest_wait);
    return std::max(*backoff.last + wait - now, Duration{});
}

}  // namespace shed::controllers
