// When a Job gives up early, and when it is content early.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::size_t rules_max = 20;
constexpr std::size_t exit_codes_max = 255;
constexpr std::size_t conditions_max = 20;
constexpr std::size_t indexes_text_max = 64 * 1024;

std::string quoted_list(std::span<const std::string_view> texts) {
    std::string all;
    for (const std::string_view text : texts) all += (all.empty() ? "[" : " ") + json_quoted(text);
    return all + "]";
}

void one_of_listed(const Field& field, std::span<const std::string_view> allowed) {
    if (field.text().empty()) field.required("valid values: " + quoted_list(allowed));
    else field.one_of_if_set(allowed);
}

void validate_exit_codes(const Field& codes, const std::set<std::string>& containers) {
    static constexpr std::string_view operators[] = {"In", "NotIn"};
    const Field op = codes["operator"], values = codes["values"],
                container = codes["containerName"];
    one_of_listed(op, operators);
    if (container && !containers.contains(container.text()))
        container.invalid(
            "must be one of the container or initContainer names in the pod template");
    if (values.size() == 0) values.invalid("at least one value is required");
    else if (values.size() > exit_codes_max) values.too_many(exit_codes_max);
    std::set<std::int64_t> seen;
    bool ordered = true;
    std::int64_t last = 0;
    for (const Field& value : values.items()) {
        const std::int64_t code = value.number();
        if (op.is("In") && code == 0) value.invalid("must not be 0 for the In operator");
        ordered = ordered && (seen.empty() || last <= code);
        if (!seen.insert(code).second) value.duplicate();
        last = code;
    }
    if (!ordered) values.invalid("must be ordered");
}

void validate_conditions(const Field& conditions) {
    static constexpr std::string_view statuses[] = {"False", "True", "Unknown"};
    if (conditions.size() > conditions_max) conditions.too_many(conditions_max);
    for (const Field& pattern : conditions.items()) {
        named(pattern["type"], qualified_name_problems);
        one_of_listed(pattern["status"], statuses);
    }
}

void validate_failure_rule(const Field& rule, const Field& spec,
                           const std::set<std::string>& containers) {
    static constexpr std::string_view actions[] = {"Count", "FailIndex", "FailJob", "Ignore"};
    const Field action = rule["action"], codes = rule["onExitCodes"],
                conditions = rule["onPodConditions"];
    if (action.is("FailIndex") && !spec["backoffLimitPerIndex"])
        action.invalid("requires the backoffLimitPerIndex to be set");
    one_of_listed(action, actions);
    if (codes) validate_exit_codes(codes, containers);
    if (conditions.size() > 0) validate_conditions(conditions);
    if (codes && conditions.size() > 0)
        rule.invalid_unshown("specifying both OnExitCodes and OnPodConditions is not supported");
    if (!codes && conditions.size() == 0)
        rule.invalid_unshown("specifying one of OnExitCodes and OnPodConditions is required");
}

struct Indexes {
    std::int64_t count = 0;
    std::string problem = {};
};

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t value = 0;
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

Indexes out_of_order(std::int64_t before, std::int64_t now) {
    return {0, "non-increasing order, previous: " + std::to_string(before) +
                   ", current: " + std::to_string(now)};
}

// "3" or "1-4"; `last` is the end of the one before, or -1.
Indexes read_interval(std::string_view text, std::int64_t completions, std::int64_t& last) {
    if (std::count(text.begin(), text.end(), '-') > 1)
        return {0, "the fragment " + json_quoted(text) +
                       " violates the requirement that an index interval can have at most two "
                       "parts separated "
                       "by '-'"};
    const auto dash = text.find('-');
    std::int64_t ends[2] = {};
    const bool single = dash == std::string_view::npos;
    for (std::size_t i = 0; i < (single ? 1 : 2); ++i) {
        const std::string_view part = i == 0 ? text.substr(0, dash) : text.substr(dash + 1);
        const auto value = whole_number(part);
        if (!value) return {0, "cannot convert string to integer for index: " + json_quoted(part)};
        if (*value >= completions) return {0, "too large index: " + json_quoted(part)};
        ends[i] = *value;
    }
    if (single) ends[1] = ends[0];
    else if (ends[0] >= ends[1]) return out_of_order(ends[0], ends[1]);
    if (last >= 0 && last >= ends[0]) return out_of_order(last, ends[0]);
    last = ends[1];
    return {last - ends[0] + 1};
}

Indexes read_indexes(std::string_view text, std::int64_t completions) {
    Indexes all;
    std::int64_t last = -1;
    while (!text.empty()) {
        const auto comma = text.find(',');
        const Indexes interval = read_interval(text.substr(0, comma), completions, last);
        if (!interval.problem.empty()) return interval;
        all.count += interval.count;
        text = comma == std::string_view::npos ? "" : text.substr(comma + 1);
    }
    return all;
}

void validate_success_rule(const Field& rule, std::int64_t completions) {
    const Field count = rule["succeededCount"], indexes = rule["succeededIndexes"];
    if (!count && !indexes)
        rule.required("at least one of succeededCount or succeededIndexes must be specified");
    Indexes read;
    if (indexes) {
        if (indexes.size() > indexes_text_max) indexes.too_long(indexes_text_max);
        read = read_indexes(indexes.text(), completions);
        if (!read.problem.empty())
            indexes.invalid("error parsing succeededIndexes: " + read.problem);
    }
    if (!count) return;
    count.not_negative();
    count.at_most(completions, "must be less than or equal to " + std::to_string(completions) +
                                   " (the number of specified completions)");
    if (indexes)
        count.at_most(read.count,
                      "must be less than or equal to " + std::to_string(read.count) +
                          " (the number of indexes in the specified succeededIndexes field)");
}

}  // namespace

void validate_pod_failure_policy(const Field& spec) {
    const Field rules = spec["podFailurePolicy"]["rules"];
    if (rules.size() > rules_max) rules.too_many(rules_max);
    std::set<std::string> containers;
    for (const char* list : {"containers", "initContainers"})
        for (const Field& container : spec["template"]["spec"][list].items())
            containers.insert(container["name"].text());
    for (const Field& rule : rules.items()) validate_failure_rule(rule, spec, containers);
}

void validate_success_policy(const Field& spec) {
    const Field rules = spec["successPolicy"]["rules"];
    if (rules.size() == 0)
        rules.required("at least one rules must be specified when the successPolicy is specified");
    if (rules.size() > rules_max) rules.too_many(rules_max);
    for (const Field& rule : rules.items())
        validate_success_rule(rule, spec["completions"].number());
}

}  // namespace shed::admission
