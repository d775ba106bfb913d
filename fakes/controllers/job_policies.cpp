// podFailurePolicy: what a failed pod means for its Job. successPolicy: when some indexes are enough.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

bool code_matches(const Json& rule, std::int64_t code) {
    const Json& values = member(rule, "values");
    const bool found = values.is_array() && std::find(values.begin(), values.end(), Json(code)) != values.end();
    return string_at(rule, "operator") == "In" ? found : string_at(rule, "operator") == "NotIn" && !found;
}

const Json* container_matching(const Object& pod, const Json& rule) {
    const std::string wanted = string_at(rule, "containerName");
    for (const char* path : {"status.containerStatuses", "status.initContainerStatuses"}) {
        const Json& list = at_path(pod.dom(), path);
        if (!list.is_array()) continue;
        for (const Json& container : list) {
            const Json& code = at_path(container, "state.terminated.exitCode");
            if (!code.is_number_integer() || code == 0) continue;
            if (!wanted.empty() && wanted != string_at(container, "name")) continue;
            if (code_matches(rule, code.get<std::int64_t>())) return &container;
        }
    }
    return nullptr;
}

const Json* condition_matching(const Object& pod, const Json& patterns) {
    const Json& conditions = at_path(pod.dom(), "status.conditions");
    if (!conditions.is_array()) return nullptr;
    for (const Json& condition : conditions)
        for (const Json& pattern : patterns)
            if (string_at(condition, "type") == string_at(pattern, "type") &&
                string_at(condition, "status") == string_at(pattern, "status"))
                return &condition;
    return nullptr;
}

// What the rule says of the pod; empty when it does not match.
std::string description(const Json& rule, const Object& pod, const std::string& place) {
    const std::string name = pod.ns() + "/" + pod.name();
    if (const Json& codes = member(rule, "onExitCodes"); codes.is_object()) {
        const Json* container = container_matching(pod, codes);
        if (container == nullptr) return "";
        return "Container " + string_at(*container, "name") + " for pod " + name + " failed with exit code " +
               std::to_string(int_at(*container, "state.terminated.exitCode")) + place;
    }
    const Json& patterns = member(rule, "onPodConditions");
    if (!patterns.is_array()) return "";
    const Json* condition = condition_matching(pod, patterns);
    return condition == nullptr ? "" : "Pod " + name + " has condition " + string_at(*condition, "type") + place;
}

}  // namespace

FailureMatch match_failure_policy(const JobWork& work, const Object& pod) {
    const Json& rules = at_path(work.spec(), "podFailurePolicy.rules");
    if (!rules.is_array()) return {};
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const std::string action = string_at(rules[i], "action");
        const std::string place = " matching " + action + " rule at index " + std::to_string(i);
        std::string text = description(rules[i], pod, place);
        if (!text.empty()) return {action, std::move(text)};
    }
    return {};
}

std::string matched_success_policy(const JobWork& work) {
    const Json& rules = at_path(work.spec(), "successPolicy.rules");
    if (!rules.is_array() || work.done.empty()) return "";
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const Json& indexes = member(rules[i], "succeededIndexes");
        const Json& count = member(rules[i], "succeededCount");
        auto have = static_cast<std::int64_t>(work.done.size());
        bool all = false;
        if (indexes.is_string()) {
            const Indexes wanted = expand(indexes.get<std::string>(), work.completions().value_or(0));
            if (wanted.empty()) continue;
            have = std::count_if(wanted.begin(), wanted.end(), [&](std::int64_t w) { return work.done.contains(w); });
            all = have == static_cast<std::int64_t>(wanted.size());
        }
        if (all || (count.is_number_integer() && have >= count.get<std::int64_t>()))
            return "Matched rules at index " + std::to_string(i);
    }
    return "";
}

}  // namespace shed::controllers
