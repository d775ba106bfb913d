// What every object's metadata must obey (apimachinery/pkg/api/validation), and the kinds' special rules.
#include "fakes/api/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

namespace shed {

namespace {

constexpr std::string_view subdomain_text =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'example.com', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view label_text =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must "
    "start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for "
    "validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view qualified_text =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
    "an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
constexpr std::string_view value_text =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

bool lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool alnum(char c) { return lower_alnum(c) || (c >= 'A' && c <= 'Z'); }

bool label_shape(std::string_view text) {
    if (text.empty() || !lower_alnum(text.front()) || !lower_alnum(text.back())) return false;
    return std::all_of(text.begin(), text.end(), [](char c) { return lower_alnum(c) || c == '-'; });
}

bool word_shape(std::string_view text) {
    if (text.empty() || !alnum(text.front()) || !alnum(text.back())) return false;
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return alnum(c) || c == '-' || c == '_' || c == '.'; });
}

std::string quote(std::string_view text) { return dump_json(Json(text)); }

FieldError invalid_value(std::string field, std::string_view value, std::string_view why) {
    return {"FieldValueInvalid", std::move(field),
            "Invalid value: " + quote(value) + ": " + std::string(why)};
}

enum class NameShape { subdomain, label, path };

NameShape name_shape(const Kind& kind) {
    if (kind.plural == "namespaces" || kind.plural == "services") return NameShape::label;
    if (kind.group == "rbac.authorization.k8s.io") return NameShape::path;
    return NameShape::subdomain;
}

std::vector<std::string> name_problems(const Kind& kind, const std::string& name) {
    std::vector<std::string> problems;
    switch (name_shape(kind)) {
        case NameShape::label:
            if (name.size() > 63) problems.emplace_back("must be no more than 63 characters");
            if (!label_shape(name)) problems.emplace_back(label_text);
            break;
        case NameShape::path:
            if (name == "." || name == "..") problems.push_back("may not be '" + name + "'");
            for (const char* bad : {"/", "%"})
                if (name.find(bad) != std::string::npos)
                    problems.push_back("may not contain '" + std::string(bad) + "'");
            break;
        case NameShape::subdomain:
            if (name.size() > 253) problems.emplace_back("must be no more than 253 characters");
            else if (!is_dns_subdomain(name)) problems.emplace_back(subdomain_text);
    }
    return problems;
}

std::vector<std::string> qualified_problems(std::string_view key) {
    std::vector<std::string> problems;
    const auto slash = key.find('/');
    std::string_view name = key;
    if (slash != std::string_view::npos) {
        const std::string_view prefix = key.substr(0, slash);
        name = key.substr(slash + 1);
        if (prefix.empty()) problems.emplace_back("prefix part must be non-empty");
        else if (!is_dns_subdomain(prefix))
            problems.push_back("prefix part " + std::string(subdomain_text));
    }
    if (name.empty()) problems.emplace_back("name part must be non-empty");
    else if (name.size() > 63) problems.emplace_back("name part must be no more than 63 bytes");
    if (!word_shape(name)) problems.emplace_back(qualified_text);
    return problems;
}

void validate_name(const Kind& kind, const Json& metadata, std::vector<FieldError>& errors) {
    const std::string prefix = string_at(metadata, "generateName");
    // What generateName makes ends in a letter, so its own last character may be a dash.
    if (!prefix.empty())
        for (const std::string& problem : name_problems(kind, prefix + "a"))
            errors.push_back(invalid_value("metadata.generateName", prefix, problem));
    const std::string name = string_at(metadata, "name");
    if (name.empty()) {
        errors.push_back({"FieldValueRequired", "metadata.name",
                          "Required value: name or generateName is required"});
        if (kind.custom)
            errors.push_back({"FieldValueInvalid", "<nil>",
                              "Invalid value: null: some validation rules were not checked because "
                              "the object was invalid; correct the existing errors to complete "
                              "validation"});
        return;
    }
    for (const std::string& problem : name_problems(kind, name))
        errors.push_back(invalid_value("metadata.name", name, problem));
}

void validate_maps(const Json& metadata, std::vector<FieldError>& errors) {
    if (const Json& annotations = member(metadata, "annotations"); annotations.is_object()) {
        std::size_t total = 0;
        for (const auto& [key, value] : annotations.items()) {
            total += key.size() + (value.is_string() ? value.get_ref<const std::string&>().size() : 0);
            std::string folded = key;
            for (char& c : folded)
                if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
            for (const std::string& problem : qualified_problems(folded))
                errors.push_back(invalid_value("metadata.annotations", key, problem));
        }
        if (total > 262'144)
            errors.push_back({"FieldValueTooLong", "metadata.annotations",
                              "Too long: may not be more than 262144 bytes"});
    }
    const Json& labels = member(metadata, "labels");
    if (!labels.is_object()) return;
    for (const auto& [key, value] : labels.items()) {
        for (const std::string& problem : qualified_problems(key))
            errors.push_back(invalid_value("metadata.labels", key, problem));
        const std::string text = value.is_string() ? value.get<std::string>() : std::string();
        if (text.size() > 63)
            errors.push_back(invalid_value("metadata.labels", text, "must be no more than 63 bytes"));
        if (!text.empty() && !word_shape(text))
            errors.push_back(invalid_value("metadata.labels", text, value_text));
    }
}

void validate_owners(const Json& metadata, std::vector<FieldError>& errors) {
    const Json& owners = member(metadata, "ownerReferences");
    if (!owners.is_array()) return;
    std::string controller;
    for (const Json& owner : owners) {
        for (const char* name : {"apiVersion", "kind", "name", "uid"}) {
            if (!string_at(owner, name).empty()) continue;
            const std::string field = name == std::string_view("apiVersion") ? "version" : name;
            errors.push_back(
                invalid_value("metadata.ownerReferences." + field, "", "must not be empty"));
        }
        if (!bool_at(owner, "controller")) continue;
        const std::string text = string_at(owner, "kind") + "/" + string_at(owner, "name");
        if (!controller.empty())
            errors.push_back({"FieldValueInvalid", "metadata.ownerReferences",
                              "Invalid value: " + dump_json(owners) +
                                  ": Only one reference can have Controller set to true. Found "
                                  "\"true\" in references for " +
                                  controller + " and " + text});
        controller = text;
    }
}

void validate_finalizers(const Json& metadata, std::vector<FieldError>& errors) {
    const Json& finalizers = member(metadata, "finalizers");
    if (!finalizers.is_array()) return;
    static const std::set<std::string> standard = {"kubernetes", "orphan", "foregroundDeletion"};
    int i = 0;
    for (const Json& f : finalizers) {
        const std::string text = f.is_string() ? f.get<std::string>() : std::string();
        const std::string field = "metadata.finalizers[" + std::to_string(i++) + "]";
        const auto problems = qualified_problems(text);
        for (const std::string& problem : problems)
            errors.push_back(invalid_value(field, text, problem));
        if (problems.empty() && text.find('/') == std::string::npos && !standard.contains(text))
            errors.push_back(invalid_value(
                field, text, "name is neither a standard finalizer name nor is it fully qualified"));
    }
}

std::string go_type_of(const Json& value) {
    if (value.is_array()) return "array";
    if (value.is_object()) return "object";
    if (value.is_string()) return "string";
    return value.is_boolean() ? "bool" : "number";
}

}  // namespace

bool is_dns_label(std::string_view text) { return text.size() <= 63 && label_shape(text); }

bool is_dns_subdomain(std::string_view text) {
    if (text.size() > 253) return false;
    for (;;) {
        const auto dot = text.find('.');
        if (!label_shape(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

std::vector<FieldError> validate_metadata(const Kind& kind, const Json& object) {
    std::vector<FieldError> errors;
    const Json& metadata = member(object, "metadata");
    validate_name(kind, metadata, errors);
    validate_maps(metadata, errors);
    validate_owners(metadata, errors);
    validate_finalizers(metadata, errors);
    return errors;
}

std::optional<Error> check_metadata_types(const Kind& kind, const Json& object) {
    const std::string prefix = kind.custom ? "ObjectMeta." : "ObjectMeta.metadata.";
    const auto wrong = [&](const Json& value, const std::string& name, const char* type) {
        return bad_request(std::string(kind.kind) + " in version \"" + std::string(kind.version) +
                           "\" cannot be handled as a " + std::string(kind.kind) +
                           ": json: cannot unmarshal " + go_type_of(value) +
                           " into Go struct field " + prefix + name + " of type " + type);
    };
    const Json& metadata = member(object, "metadata");
    if (!metadata.is_null() && !metadata.is_object())
        return bad_request(std::string(kind.kind) + " in version \"" + std::string(kind.version) +
                           "\" cannot be handled as a " + std::string(kind.kind) +
                           ": json: cannot unmarshal " + go_type_of(metadata) +
                           " into Go struct field " + std::string(kind.kind) +
                           ".metadata of type v1.ObjectMeta");
    for (const char* name : {"name", "generateName", "namespace", "uid", "resourceVersion"}) {
        const Json& value = member(metadata, name);
        if (!value.is_null() && !value.is_string()) return wrong(value, name, "string");
    }
    for (const char* name : {"labels", "annotations"}) {
        const Json& map = member(metadata, name);
        if (map.is_null()) continue;
        if (!map.is_object()) return wrong(map, name, "map[string]string");
        for (const Json& value : map)
            if (!value.is_string() && !value.is_null()) return wrong(value, name, "string");
    }
    const Json& finalizers = member(metadata, "finalizers");
    if (!finalizers.is_null() && !finalizers.is_array())
        return wrong(finalizers, "finalizers", "[]string");
    const Json& owners = member(metadata, "ownerReferences");
    if (!owners.is_null() && !owners.is_array())
        return wrong(owners, "ownerReferences", "[]v1.OwnerReference");
    return std::nullopt;
}

bool unconditional_update_allowed(const Kind& kind) {
    return !kind.custom && kind.plural != "leases" && kind.plural != "customresourcedefinitions";
}

bool created_by_update(const Kind& kind) {
    return kind.plural == "leases" || kind.plural == "events" || kind.plural == "endpoints" ||
           kind.plural == "limitranges" || kind.plural == "runtimeclasses";
}

bool returned_when_deleted(const Kind& kind) {
    static constexpr std::string_view kinds[] = {
        "pods",           "services",     "serviceaccounts", "persistentvolumeclaims",
        "podtemplates",   "persistentvolumes", "resourcequotas"};
    return kind.group.empty() && std::find(std::begin(kinds), std::end(kinds), kind.plural) !=
                                     std::end(kinds);
}

bool spec_equal(const Kind& kind, const Json& one, const Json& other) {
    const auto relevant = [&](const std::string& key) {
        return key != "metadata" && !(kind.has_status && key == "status");
    };
    for (const auto& [key, value] : one.items())
        if (relevant(key) && member(other, key) != value) return false;
    for (const auto& [key, value] : other.items())
        if (relevant(key) && !one.contains(key) && !value.is_null()) return false;
    return true;
}

std::string field_manager(const Request& request) {
    if (const auto named = request.parameter("fieldManager"); !named.empty())
        return std::string(named);
    const std::string_view agent = request.user_agent;
    const std::string manager(agent.substr(0, agent.find('/')));
    return manager.empty() ? "unknown" : manager;
}

}  // namespace shed
