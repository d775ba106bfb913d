// Checks a custom resource in the API server's three passes: the schema, the keys of list-maps, the CEL rules.
#include "fakes/admission/crd/cel.hpp"
#include "fakes/admission/crd/schema.hpp"
#include "fakes/admission/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <unordered_map>

namespace shed::admission {

namespace {

using Errors = std::vector<FieldError>;

// Where a value stands: the field of the answer, and the name kube-openapi gives it, which for the status
// subresource starts below `status`.
struct Place {
    std::string field, body;
    Place child(const std::string& name) const {
        return {joined_path(field, name), joined_path(body, name)};
    }
    Place item(std::size_t i) const {
        const std::string index = "[" + std::to_string(i) + "]";
        return {field + index, body + index};
    }
};

std::string type_name(const Json& value) {
    if (value.is_null()) return "null";
    if (value.is_string()) return "string";
    if (value.is_boolean()) return "boolean";
    if (value.is_number_integer()) return "integer";
    if (value.is_number()) return "number";
    return value.is_array() ? "array" : "object";
}

bool has_type(const Json& value, const std::string& type) {
    return type.empty() || type == type_name(value) || (type == "number" && value.is_number());
}

FieldError wrong_type(const Json& value, const std::string& wanted, const Place& at) {
    const std::string got = "\"" + type_name(value) + "\"";
    return {"FieldValueTypeInvalid", at.field,
            "Invalid value: " + got + ": " + at.body + " in body must be of type " + wanted + ": " + got};
}

FieldError limit(const Json& shown, const Place& at, const std::string& rest) {
    return invalid_value(at.field, shown, at.body + " in body should " + rest);
}

const std::regex* pattern_of(const std::string& text) {
    static std::unordered_map<std::string, std::unique_ptr<std::regex>> cache;
    auto& entry = cache[text];
    if (entry) return entry.get();
    try {
        entry = std::make_unique<std::regex>(text);
    } catch (const std::regex_error&) {
        return nullptr;  // Go knows forms that std::regex does not
    }
    return entry.get();
}

void check_string(const Json& value, const Json& schema, const Place& at, Errors& errors) {
    const auto& text = value.get_ref<const std::string&>();
    const auto size = static_cast<std::int64_t>(text.size());
    if (const auto max = int_at(schema, "maxLength", -1); max >= 0 && size > max)
        errors.push_back({"FieldValueTooLong", at.field,
                          "Too long: may not be more than " + std::to_string(max) + " bytes"});
    // kube-openapi's string validator stops at the first that fails.
    if (!errors.empty() && errors.back().field == at.field) return;
    if (const auto min = int_at(schema, "minLength", 0); size < min) {
        errors.push_back(limit(value, at, "be at least " + std::to_string(min) + " chars long"));
        return;
    }
    const std::string pattern = string_at(schema, "pattern");
    const std::regex* regex = pattern.empty() || size > 65'536 ? nullptr : pattern_of(pattern);
    if (regex != nullptr && !std::regex_search(text, *regex))
        errors.push_back(limit(value, at, "match '" + pattern + "'"));
    if (string_at(schema, "format") == "date-time" && !parse_time(text))
        errors.push_back({"FieldValueTypeInvalid", at.field,
                          "Invalid value: " + json_quoted(text) + ": " + at.body +
                              " in body must be of type date-time: " + json_quoted(text)});
}

void check_number(const Json& value, const Json& schema, const Place& at, Errors& errors) {
    if (const Json& min = member(schema, "minimum"); min.is_number() && value < min)
        errors.push_back(limit(value, at, "be greater than or equal to " + dump_json(min)));
    if (const Json& max = member(schema, "maximum"); max.is_number() && value > max)
        errors.push_back(limit(value, at, "be less than or equal to " + dump_json(max)));
}

void check_size(const Json& value, const Json& schema, const Place& at, Errors& errors) {
    const bool list = value.is_array();
    const std::string noun = list ? " items" : " properties";
    const auto size = static_cast<std::int64_t>(value.size());
    if (const auto min = int_at(schema, list ? "minItems" : "minProperties", 0); size < min)
        errors.push_back(limit(size, at, "have at least " + std::to_string(min) + noun));
    const auto max = int_at(schema, list ? "maxItems" : "maxProperties", -1);
    if (max >= 0 && size > max)
        errors.push_back({"FieldValueTooMany", at.field,
                          "Too many: " + std::to_string(size) + ": must have at most " +
                              std::to_string(max) + noun});
}

// A number with a fraction fails all the alternatives of integer-or-string, and each of them says so.
void check_int_or_string(const Json& value, const Json& schema, const Place& at, Errors& errors) {
    if (value.is_string()) return check_string(value, schema, at, errors);
    if (value.is_number_integer()) return;
    const std::string nothing = "Invalid value: \"\": ";
    errors.push_back(wrong_type(value, "integer,string", at));
    errors.push_back({"FieldValueInvalid", "<nil>",
                      nothing + "\"" + at.body + "\" must validate at least one schema (anyOf)"});
    errors.push_back(wrong_type(value, "integer", at));
    errors.push_back({"FieldValueInvalid", "<nil>",
                      nothing + "Checked value must be of type integer (default format) in " + at.body});
}

void check(const Json& value, const Json& reference, const Json* old, const Place& at, Errors& errors);

// The same item of the list before the update; only list-maps have one.
const Json* old_item(const Json& schema, const Json* old, const Json& item) {
    if (old == nullptr || !old->is_array()) return nullptr;
    const Json& keys = member(schema, "x-kubernetes-list-map-keys");
    if (!keys.is_array()) return nullptr;
    for (const Json& candidate : *old) {
        const bool same = std::all_of(keys.begin(), keys.end(), [&](const Json& key) {
            return member(candidate, key.get<std::string>()) == member(item, key.get<std::string>());
        });
        if (same) return &candidate;
    }
    return nullptr;
}

const Json* old_member(const Json* old, const std::string& name) {
    if (old == nullptr) return nullptr;
    const Json& found = member(*old, name);
    return found.is_null() ? nullptr : &found;
}

void check_members(const Json& value, const Json& schema, const Json* old, const Place& at,
                   Errors& errors) {
    for (const Json& name : member(schema, "required"))
        if (!value.contains(name.get_ref<const std::string&>()))
            errors.push_back({"FieldValueRequired", joined_path(at.field, name.get<std::string>()),
                              "Required value"});
    for (const auto& [name, part] : value.items())
        if (const Json& sub = property_schema(schema, name); !sub.is_null())
            check(part, sub, old_member(old, name), at.child(name), errors);
}

void check_enum(const Json& value, const Json& schema, const Place& at, Errors& errors) {
    const Json& allowed = member(schema, "enum");
    if (!allowed.is_array() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return;
    std::string names;
    for (const Json& each : allowed) names += (names.empty() ? "" : ", ") + dump_json(each);
    errors.push_back({"FieldValueNotSupported", at.field,
                      "Unsupported value: " + dump_json(value) + ": supported values: " + names});
}

void check(const Json& value, const Json& reference, const Json* old, const Place& at, Errors& errors) {
    if (old != nullptr && *old == value) return;
    const Json& schema = resolved(reference);
    if (value.is_null() && bool_at(schema, "nullable")) return;
    if (bool_at(schema, "x-kubernetes-int-or-string"))
        return check_int_or_string(value, schema, at, errors);
    const std::string type = string_at(schema, "type");
    if (!has_type(value, type)) {
        errors.push_back(wrong_type(value, type, at));
        return;
    }
    check_enum(value, schema, at, errors);
    if (value.is_string()) check_string(value, schema, at, errors);
    if (value.is_number()) check_number(value, schema, at, errors);
    if (!value.is_structured()) return;
    check_size(value, schema, at, errors);
    if (value.is_object()) return check_members(value, schema, old, at, errors);
    for (std::size_t i = 0; i < value.size() && schema.contains("items"); ++i)
        check(value[i], schema["items"], old_item(schema, old, value[i]), at.item(i), errors);
}

void check_unique(const Json& list, const Json& schema, const Place& at, Errors& errors) {
    const std::string type = string_at(schema, "x-kubernetes-list-type");
    if (type != "map" && type != "set") return;
    std::set<Json> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
        Json key = list[i];
        if (type == "map") {
            key = Json::object();
            for (const Json& name : member(schema, "x-kubernetes-list-map-keys"))
                if (const Json& part = member(list[i], name.get<std::string>()); !part.is_null())
                    key[name.get<std::string>()] = part;
        }
        if (!seen.insert(key).second)
            errors.push_back({"FieldValueDuplicate", at.item(i).field, "Duplicate value: " + dump_json(key)});
    }
}

void check_lists(const Json& value, const Json& reference, const Json* old, const Place& at,
                 Errors& errors) {
    if (old != nullptr && *old == value) return;
    const Json& schema = resolved(reference);
    if (value.is_object())
        for (const auto& [name, part] : value.items())
            if (const Json& sub = property_schema(schema, name); !sub.is_null())
                check_lists(part, sub, old_member(old, name), at.child(name), errors);
    if (!value.is_array() || !schema.contains("items")) return;
    check_unique(value, schema, at, errors);
    for (std::size_t i = 0; i < value.size(); ++i)
        check_lists(value[i], schema["items"], old_item(schema, old, value[i]), at.item(i), errors);
}

const CelNode& compiled_rule(const std::string& text) {
    static std::unordered_map<std::string, std::shared_ptr<const CelNode>> cache;
    auto& entry = cache[text];
    if (!entry) {
        auto parsed = parse_cel(text);
        SHED_CHECK(parsed.has_value());  // the rules are ours: a test reads them all
        entry = *parsed;
    }
    return *entry;
}

void check_rule(const Json& rule, const Json& value, const Json* old, const Place& at, Errors& errors) {
    const std::string text = string_at(rule, "rule");
    const bool transition = text.find("oldSelf") != std::string::npos;
    if (transition && old == nullptr) return;
    CelVariables variables;
    variables["self"] = CelValue(CelValue(), &value);
    if (old != nullptr) variables["oldSelf"] = CelValue(CelValue(), old);
    const CelValue result = compiled_rule(text).evaluate(variables);
    if (result && *result == true) return;
    const std::string message = string_at(rule, "message", "failed rule: " + text);
    const std::string shown = value.is_structured() ? "" : dump_json(value) + ": ";
    errors.push_back({"FieldValueInvalid", at.field.empty() ? "<nil>" : at.field,
                      "Invalid value: " + shown + message});
}

void check_rules(const Json& value, const Json& reference, const Json* old, const Place& at,
                 Errors& errors) {
    if (old != nullptr && *old == value) return;
    const Json& schema = resolved(reference);
    for (const Json& rule : member(schema, "x-kubernetes-validations"))
        check_rule(rule, value, old, at, errors);
    if (value.is_object())
        for (const auto& [name, part] : value.items())
            if (const Json& sub = property_schema(schema, name); !sub.is_null())
                check_rules(part, sub, old_member(old, name), at.child(name), errors);
    if (!value.is_array() || !schema.contains("items")) return;
    for (std::size_t i = 0; i < value.size(); ++i)
        check_rules(value[i], schema["items"], old_item(schema, old, value[i]), at.item(i), errors);
}

bool blocks_rules(const FieldError& error) {
    static const std::set<std::string_view> blocking = {"FieldValueNotSupported", "FieldValueRequired",
                                                        "FieldValueTooLong", "FieldValueTooMany",
                                                        "FieldValueTypeInvalid"};
    return blocking.contains(error.reason);
}

}  // namespace

std::vector<FieldError> validate_by_schema(const Kind& kind, const Json& object, const Json* old,
                                           bool status_only, std::vector<FieldError> errors) {
    const Json& root = schema_of(kind);
    if (root.is_null()) return errors;
    const Json& schema = status_only ? property_schema(root, "status") : root;
    const Json& value = status_only ? member(object, "status") : object;
    const Json* before = status_only && old != nullptr ? old_member(old, "status") : old;
    if (status_only && value.is_null()) return errors;
    const Place top{status_only ? "status" : "", ""};

    check(value, schema, before, top, errors);
    check_lists(value, schema, before, top, errors);
    if (std::any_of(errors.begin(), errors.end(), blocks_rules)) {
        errors.push_back(rules_skipped());
        return errors;
    }
    check_rules(value, schema, before, top, errors);
    return errors;
}

}  // namespace shed::admission
