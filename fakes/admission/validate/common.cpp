// Rules that several kinds share.
#include "fakes/admission/validate/rules.hpp"

#include "fakes/types/types.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::int64_t file_mode_max = 0777;

}  // namespace

bool operator_fits(const Field& op, const Field& values) {
    if (op.is("In") || op.is("NotIn")) {
        if (values.size() == 0)
            values.required("must be specified when `operator` is 'In' or 'NotIn'");
    } else if (op.is("Exists") || op.is("DoesNotExist")) {
        if (values.size() > 0)
            values.forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
        return false;
    }
    return true;
}

void validate_label_selector(const Field& selector) {
    if (!selector) return;
    validate_labels(selector["matchLabels"]);
    for (const Field& requirement : selector["matchExpressions"].items()) {
        const Field op = requirement["operator"], values = requirement["values"];
        if (!operator_fits(op, values)) op.invalid(op.text(), "not a valid selector operator");
        named(requirement["key"], qualified_name_problems);
        for (const Field& value : values.items()) named(value, label_value_problems);
    }
}

bool selects(const Json& label_selector, const Json& labels) {
    // An absent selector selects nothing, and one that cannot be read is complained of elsewhere.
    if (label_selector.is_null()) return false;
    const auto selector = LabelSelector::from_json(label_selector);
    return !selector || selector->matches(labels);
}

void immutable(const Change& change, std::string_view dotted) { immutable_as(change, dotted, ""); }

void immutable_as(const Change& change, std::string_view dotted, std::string_view go_type) {
    const Json& now = at_path(change.now.json(), dotted);
    if (now == at_path(change.old, dotted)) return;
    const std::string path = joined_path(change.now.path(), dotted);
    const std::string shown = !go_type.empty()      ? go_text(go_type, now)
                              : now.is_structured() ? go_json(now)
                                                    : dump_json(now);
    change.now.complain(invalid_text(path, shown, "field is immutable"));
}

void validate_port(const Field& port) {
    if (port.json().is_string()) named(port, port_name_problems);
    else port.in_range(1, port_max);
}

void validate_no_backsteps(const Field& path) {
    const std::string text = "/" + path.text() + "/";
    if (text.find("/../") != std::string::npos) path.invalid(path.text(), "must not contain '..'");
}

void validate_relative_path(const Field& path) {
    if (path.text().starts_with('/')) path.invalid("must be a relative path");
    validate_no_backsteps(path);
}

void validate_local_path(const Field& path) {
    validate_relative_path(path);
    const std::string text = path.text();
    // A whole ".." was complained of already.
    if (text.starts_with("..") && !text.starts_with("../"))
        path.invalid("must not start with '..'");
}

void validate_file_mode(const Field& mode) {
    if (mode && (mode.number() < 0 || mode.number() > file_mode_max))
        mode.invalid("must be a number between 0 and 0777 (octal), both inclusive");
}

void validate_preemption_policy(const Field& policy) {
    static constexpr std::string_view policies[] = {"PreemptLowerPriority", "Never"};
    if (policy) policy.one_of(policies);
}

}  // namespace shed::admission
