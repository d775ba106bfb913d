// The defaulting webhooks decode what they get into Go structs and refuse wrong types in the words of encoding/json.
#include "fakes/admission/crd/schema.hpp"
#include "fakes/admission/internal.hpp"

#include <array>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

// The Go struct that holds the members of a JSON member of this name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 22> go_structs = {{
    {"runtimeRef", "RuntimeRef"},
    {"initializer", "Initializer"},
    {"dataset", "DatasetInitializer"},
    {"model", "ModelInitializer"},
    {"trainer", "Trainer"},
    {"env", "EnvVar"},
    {"resourcesPerNode", "ResourceRequirements"},
    {"runtimePatches", "RuntimePatch"},
    {"trainingRuntimeSpec", "TrainingRuntimeSpecPatch"},
    {"containers", "Container"},
    {"initContainers", "Container"},
    {"replicatedJobs", "ReplicatedJob"},
    {"dependsOn", "DependsOn"},
    {"network", "Network"},
    {"successPolicy", "SuccessPolicy"},
    {"failurePolicy", "FailurePolicy"},
    {"rules", "FailurePolicyRule"},
    {"startupPolicy", "StartupPolicy"},
    {"coordinator", "Coordinator"},
    {"ports", "ContainerPort"},
    {"volumeMounts", "VolumeMount"},
    {"volumes", "Volume"},
}};

std::string go_struct_of(std::string_view name, const std::string& otherwise) {
    for (const auto& [member_name, type] : go_structs)
        if (member_name == name) return std::string(type);
    return otherwise;
}

std::string go_type(const Json& schema, std::string_view name) {
    const std::string type = string_at(schema, "type");
    if (type == "string") return "string";
    if (type == "boolean") return "bool";
    if (type == "number") return "float64";
    if (type == "integer") return string_at(schema, "format") == "int64" ? "int64" : "int32";
    if (type == "array") return "[]" + go_type(resolved(member(schema, "items")), name);
    if (schema.contains("additionalProperties"))
        return "map[string]" + go_type(resolved(member(schema, "additionalProperties")), name);
    return "v1alpha1." + go_struct_of(name, "Object");
}

std::string go_kind(const Json& value) {
    if (value.is_string()) return "string";
    if (value.is_boolean()) return "bool";
    if (value.is_array()) return "array";
    return value.is_object() ? "object" : "number";
}

struct Place {
    std::string path;       // without indexes, as encoding/json names fields
    std::string_view name;  // the last member
    std::string holder;     // the struct that has it
};

std::string mismatch(const Json& value, const Json& schema, const Place& place) {
    std::string what = go_kind(value);
    const std::string wanted = go_type(schema, place.name);
    if (value.is_number() && (wanted == "int32" || wanted == "int64")) what += " " + dump_json(value);
    return "json: cannot unmarshal " + what + " into Go struct field " + place.holder + "." +
           place.path + " of type " + wanted;
}

bool fits_integer(const Json& value, const Json& schema) {
    if (!value.is_number_integer()) return false;
    if (string_at(schema, "format") == "int64") return true;
    const auto number = value.get<std::int64_t>();
    return number >= INT32_MIN && number <= INT32_MAX;
}

bool fits(const Json& value, const std::string& type, const Json& schema) {
    if (type == "integer") return fits_integer(value, schema);
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    if (type == "number") return value.is_number();
    if (type == "array") return value.is_array();
    return type != "object" || value.is_object();
}

std::string quantity_error(const Json& value) {
    const bool right = value.is_number() || (value.is_string() && Quantity::from_json(value));
    return right ? "" : std::string(quantity_text);
}

// metav1.Time's decoder quotes the layout it wanted.
std::string time_error(const std::string& text) {
    if (parse_time(text)) return "";
    return "parsing time \"" + text +
           "\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"" + text + "\" as \"2006\"";
}

std::string first_error(const Json& value, const Json& reference, const Place& place);

std::string object_error(const Json& value, const Json& schema, const Place& place) {
    const std::string holder = go_struct_of(place.name, place.holder);
    for (const auto& [name, part] : value.items()) {
        const Json& sub = property_schema(schema, name);
        if (sub.is_null()) continue;
        const bool is_map = schema.contains("additionalProperties");
        const std::string path =
            is_map ? place.path : place.path + (place.path.empty() ? "" : ".") + name;
        const Place inner{path, name, is_map ? place.holder : holder};
        if (std::string error = first_error(part, sub, inner); !error.empty()) return error;
    }
    return "";
}

std::string first_error(const Json& value, const Json& reference, const Place& place) {
    const Json& schema = resolved(reference);
    if (value.is_null()) return "";
    if (bool_at(schema, "x-kubernetes-int-or-string")) {
        const bool quantity = schema.contains("pattern");
        return quantity ? quantity_error(value) : "";
    }
    const std::string type = string_at(schema, "type");
    if (!type.empty() && !fits(value, type, schema)) return mismatch(value, schema, place);
    if (string_at(schema, "format") == "date-time") return time_error(value.get<std::string>());
    if (value.is_object()) return object_error(value, schema, place);
    if (!value.is_array()) return "";
    for (const Json& item : value)
        if (std::string error = first_error(item, member(schema, "items"), place); !error.empty())
            return error;
    return "";
}

}  // namespace

std::string go_decode_error(const Kind& kind, const Json& object) {
    const Json& schema = schema_of(kind);
    const Place spec{"spec", "spec", std::string(kind.kind) + "Spec"};
    const Json& sent = member(object, "spec");
    if (sent.is_null() || schema.is_null()) return "";
    if (!sent.is_object())
        return mismatch(sent, property_schema(schema, "spec"), {"spec", "spec", std::string(kind.kind)});
    return object_error(sent, property_schema(schema, "spec"), spec);
}

}  // namespace shed::admission
