// Label selectors as k8s.io/apimachinery/pkg/labels parses them; field selectors as equality on known paths.
#include "fakes/base/text.hpp"
#include "fakes/kube/kube.hpp"
#include "fakes/kube/names.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

void skip_spaces(std::string_view& text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
}

// A word ends at an operator, a comma, a parenthesis or a space.
std::string take_word(std::string_view& text) {
    skip_spaces(text);
    const auto end = std::min(text.find_first_of(" \t,()=!<>"), text.size());
    std::string word(text.substr(0, end));
    text.remove_prefix(end);
    return word;
}

std::string found_text(std::string_view rest) {
    skip_spaces(rest);
    std::string word = take_word(rest);
    return word.empty() && !rest.empty() ? std::string(rest.substr(0, 1)) : word;
}

Error unparsable(std::string_view why) {
    return {Reason::bad_request, "unable to parse requirement: " + std::string(why)};
}

Error unparsable(std::string_view found, std::string_view expected) {
    return unparsable("found '" + std::string(found) + "', expected: " + std::string(expected));
}

bool take(std::string_view& text, std::string_view token) {
    skip_spaces(text);
    if (!text.starts_with(token)) return false;
    text.remove_prefix(token.size());
    return true;
}

Result<std::vector<std::string>> take_set(std::string_view& rest) {
    if (!take(rest, "(")) return unparsable("found '" + found_text(rest) + "' expected: '('");
    std::vector<std::string> values;
    do values.push_back(take_word(rest));
    while (take(rest, ","));
    if (!take(rest, ")")) return unparsable(found_text(rest), "',' or ')'");
    return values;
}

// After an operator that takes one; nothing at all is the empty value.
Result<std::vector<std::string>> take_value(std::string_view& rest) {
    std::string value = take_word(rest);
    skip_spaces(rest);
    if (value.empty() && !rest.empty() && rest.front() != ',') return unparsable(found_text(rest), "identifier");
    return std::vector<std::string>{std::move(value)};
}

// Empty when the text is good; `path` is what the server calls it.
std::string complaint(std::string_view path, std::string_view text, const std::vector<std::string>& problems) {
    if (problems.empty()) return "";
    return std::string(path) + ": Invalid value: " + dump_json(Json(text)) + ": " + joined(problems, "; ");
}

bool is_integer(const std::string& text, std::int64_t& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

Result<LabelSelector::Requirement> LabelSelector::parse_requirement(std::string_view& rest) {
    const bool negated = take(rest, "!");
    Requirement r{take_word(rest), negated ? Operator::not_exists : Operator::exists, {}};
    if (r.key.empty())
        return unparsable(found_text(rest), negated ? "identifier" : "!, identifier, or 'end of string'");
    if (const std::string bad = complaint("<nil>", r.key, qualified_name_problems(r.key)); !bad.empty())
        return unparsable(bad);
    skip_spaces(rest);
    if (negated || rest.empty() || rest.front() == ',') return r;
    auto values = parse_operator(rest, r.op);
    if (!values) return values.error();
    r.values = std::move(*values);
    for (std::size_t i = 0; i < r.values.size(); ++i) {
        const std::string path = "values[" + std::to_string(i) + "][" + r.key + "]";
        if (const std::string bad = complaint(path, r.values[i], label_value_problems(r.values[i])); !bad.empty())
            return unparsable(bad);
    }
    return r;
}

Result<std::vector<std::string>> LabelSelector::parse_operator(std::string_view& rest, Operator& op) {
    struct Symbol {
        std::string_view text;
        Operator op;
    };
    static constexpr Symbol symbols[] = {{"==", Operator::in}, {"=", Operator::in}, {"!=", Operator::not_in},
                                         {"<", Operator::less}, {">", Operator::greater}};
    for (const Symbol& symbol : symbols) {
        if (!take(rest, symbol.text)) continue;
        op = symbol.op;
        return take_value(rest);
    }
    std::string_view after = rest;
    const std::string word = take_word(after);
    if (word != "in" && word != "notin") return unparsable(found_text(rest), "in, notin, =, ==, !=, gt, lt");
    rest = after;
    op = word == "in" ? Operator::in : Operator::not_in;
    return take_set(rest);
}

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
    LabelSelector selector;
    skip_spaces(text);
    while (!text.empty()) {
        auto requirement = parse_requirement(text);
        if (!requirement) return requirement.error();
        selector.requirements_.push_back(std::move(*requirement));
        skip_spaces(text);
        if (text.empty()) break;
        if (!take(text, ",")) return unparsable(found_text(text), "',' or 'end of string'");
    }
    return selector;
}

Result<LabelSelector> LabelSelector::from_json(const Json& label_selector) {
    LabelSelector selector;
    if (const Json& labels = member(label_selector, "matchLabels"); labels.is_object()) {
        for (const auto& [key, value] : labels.items())
            selector.requirements_.push_back(
                {key, Operator::in, {value.is_string() ? value.get<std::string>() : ""}});
    }
    const Json& expressions = member(label_selector, "matchExpressions");
    if (!expressions.is_array()) return selector;
    for (const Json& e : expressions) {
        Requirement r{string_at(e, "key"), Operator::exists, {}};
        const std::string op = string_at(e, "operator");
        if (op == "In") r.op = Operator::in;
        else if (op == "NotIn") r.op = Operator::not_in;
        else if (op == "DoesNotExist") r.op = Operator::not_exists;
        else if (op != "Exists")
            return Error{Reason::bad_request, "\"" + op + "\" is not a valid label selector operator"};
        if (const Json& values = member(e, "values"); values.is_array()) {
            for (const Json& v : values)
                if (v.is_string()) r.values.push_back(v.get<std::string>());
        }
        selector.requirements_.push_back(std::move(r));
    }
    return selector;
}

template <class Find>
bool LabelSelector::match_all(Find find) const {
    for (const Requirement& r : requirements_) {
        const std::optional<std::string_view> value = find(r.key);
        const auto listed = [&] {
            return std::find(r.values.begin(), r.values.end(), *value) != r.values.end();
        };
        bool met = false;
        switch (r.op) {
            case Operator::exists: met = value.has_value(); break;
            case Operator::not_exists: met = !value; break;
            case Operator::in: met = value && listed(); break;
            case Operator::not_in: met = !value || !listed(); break;
            case Operator::greater:
            case Operator::less: {
                std::int64_t ours = 0, bound = 0;
                met = value && !r.values.empty() && is_integer(std::string(*value), ours) &&
                      is_integer(r.values[0], bound) &&
                      (r.op == Operator::greater ? ours > bound : ours < bound);
            }
        }
        if (!met) return false;
    }
    return true;
}

bool LabelSelector::matches(const Object& object) const {
    return match_all([&](const std::string& key) -> std::optional<std::string_view> {
        const auto& labels = object.labels();
        const auto found =
            std::lower_bound(labels.begin(), labels.end(), key,
                             [](const auto& entry, const auto& k) { return entry.first < k; });
        if (found == labels.end() || found->first != key) return std::nullopt;
        return found->second;
    });
}

bool LabelSelector::matches(const Json& labels) const {
    return match_all([&](const std::string& key) -> std::optional<std::string_view> {
        const Json& value = member(labels, key);
        if (!value.is_string()) return std::nullopt;
        return value.get_ref<const std::string&>();
    });
}

namespace {

// The field labels each kind's storage knows beside metadata.name and metadata.namespace
// (pkg/registry/*/strategy.go and pkg/apis/*/conversion.go).
std::string_view field_labels(const Kind& kind) {
    if (kind.plural == "pods")
        return " spec.nodeName spec.restartPolicy spec.schedulerName spec.serviceAccountName"
               " spec.hostNetwork status.phase status.podIP status.podIPs status.nominatedNodeName ";
    if (kind.plural == "events")
        return " involvedObject.kind involvedObject.namespace involvedObject.name involvedObject.uid"
               " involvedObject.apiVersion involvedObject.resourceVersion involvedObject.fieldPath"
               " reason reportingComponent source type regarding.kind regarding.namespace"
               " regarding.name regarding.uid regarding.apiVersion regarding.resourceVersion"
               " regarding.fieldPath reportingController ";
    if (kind.plural == "nodes") return " spec.unschedulable ";
    if (kind.plural == "secrets") return " type ";
    if (kind.plural == "namespaces") return " name status.phase ";
    if (kind.plural == "jobs") return " status.successful ";
    if (kind.plural == "replicasets") return " status.replicas ";
    if (kind.plural == "services") return " spec.clusterIP spec.type ";
    return "";
}

std::string text_of(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_null()) return "";
    return value.dump();
}

// Some labels name another place than their own path.
std::string field_value(const Object& object, const std::string& path) {
    if (path == "metadata.name") return object.name();
    if (path == "metadata.namespace") return object.ns();
    if (path == "name") return object.name();
    if (path == "source") {
        const std::string component = string_at(object.dom(), "source.component");
        return component.empty() ? string_at(object.dom(), "reportingComponent") : component;
    }
    if (path == "status.successful") return text_of(at_path(object.dom(), "status.succeeded"));
    if (path == "spec.unschedulable" || path == "spec.hostNetwork")
        return bool_at(object.dom(), path) ? "true" : "false";
    return text_of(at_path(object.dom(), path));
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text, const Kind& kind) {
    FieldSelector selector;
    const std::string_view labels = field_labels(kind);
    while (!text.empty()) {
        const auto comma = text.find(',');
        const std::string_view term = text.substr(0, comma);
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
        if (term.empty()) continue;
        const auto equals = term.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return Error{Reason::bad_request, "invalid selector: '" + std::string(term) +
                                                  "'; can't understand '" + std::string(term) + "'"};
        const bool negated = term[equals - 1] == '!';
        const std::string path(term.substr(0, negated ? equals - 1 : equals));
        const bool doubled = equals + 1 < term.size() && term[equals + 1] == '=';
        const std::string value(term.substr(equals + (doubled ? 2 : 1)));
        const bool known = path == "metadata.name" || path == "metadata.namespace" ||
                           labels.find(" " + path + " ") != std::string_view::npos;
        if (!known) return Error{Reason::bad_request, "field label not supported: " + path};
        selector.terms_.push_back({path, value, negated});
    }
    return selector;
}

bool FieldSelector::matches(const Object& object) const {
    return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
        return (field_value(object, term.path) == term.value) != term.negated;
    });
}

std::optional<std::string> FieldSelector::required(std::string_view path) const {
    for (const Term& term : terms_)
        if (term.path == path && !term.negated) return term.value;
    return std::nullopt;
}

}  // namespace shed
