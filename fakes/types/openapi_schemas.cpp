// Schemas as kube-openapi writes them for Go types, and as the server publishes those of CRDs.
#include "fakes/types/openapi.hpp"

#include <array>
#include <map>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view machinery = "io.k8s.apimachinery.pkg.";
constexpr std::string_view extensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.";

struct Special {
    Shape shape;
    std::string_view package, name, schema;
};

constexpr std::array<Special, 11> specials = {{
    {Shape::time, machinery, "apis.meta.v1.Time", R"({"format":"date-time","type":"string"})"},
    {Shape::micro_time, machinery, "apis.meta.v1.MicroTime",
     R"({"format":"date-time","type":"string"})"},
    {Shape::quantity, machinery, "api.resource.Quantity",
     R"({"oneOf":[{"type":"string"},{"type":"number"}]})"},
    {Shape::int_or_string, machinery, "util.intstr.IntOrString",
     R"({"format":"int-or-string","oneOf":[{"type":"integer"},{"type":"string"}]})"},
    {Shape::raw, machinery, "runtime.RawExtension", R"({"type":"object"})"},
    {Shape::fields, machinery, "apis.meta.v1.FieldsV1", R"({"type":"object"})"},
    {Shape::object, machinery, "apis.meta.v1.Patch", R"({"type":"object"})"},
    {Shape::json, extensions, "JSON", "{}"},
    {Shape::props_or_bool, extensions, "JSONSchemaPropsOrBool", "{}"},
    {Shape::props_or_array, extensions, "JSONSchemaPropsOrArray", "{}"},
    {Shape::props_or_strings, extensions, "JSONSchemaPropsOrStringArray", "{}"},
}};

std::string full_name(const Special& special) {
    return std::string(special.package) + std::string(special.name);
}

std::string referred(const TypeField& field) {
    if (field.shape == Shape::object) return field.type->name;
    for (const Special& special : specials)
        if (special.shape == field.shape) return full_name(special);
    return "";
}

Json scalar(Shape shape) {
    switch (shape) {
        case Shape::boolean:
            return {{"type", "boolean"}};
        case Shape::int32:
            return {{"type", "integer"}, {"format", "int32"}};
        case Shape::int64:
            return {{"type", "integer"}, {"format", "int64"}};
        case Shape::real:
            return {{"type", "number"}, {"format", "double"}};
        case Shape::bytes:
            return {{"type", "string"}, {"format", "byte"}};
        case Shape::strings:
            return {{"type", "array"}, {"items", {{"type", "string"}, {"default", ""}}}};
        default:
            return {{"type", "string"}};
    }
}

// The default that goes with a value which is never absent in Go; null when there is none.
Json zero_of(Shape shape) {
    switch (shape) {
        case Shape::string:
            return "";
        case Shape::boolean:
            return false;
        case Shape::int32:
        case Shape::int64:
        case Shape::real:
            return 0;
        case Shape::object:
            return Json::object();
        default:
            return nullptr;
    }
}

// One value, held by a member, a list or a map.
Json value_schema(const TypeField& field, bool always, std::set<std::string>& uses) {
    Json schema;
    if (const std::string name = referred(field); !name.empty()) {
        uses.insert(name);
        schema["allOf"] = Json::array({{{"$ref", "#/components/schemas/" + name}}});
    } else {
        schema = scalar(field.shape);
    }
    if (!field.values.empty() && field.shape == Shape::string) schema["enum"] = field.values;
    if (Json zero = zero_of(field.shape); always && !zero.is_null()) schema["default"] = zero;
    return schema;
}

Json member_schema(const TypeField& field, std::set<std::string>& uses) {
    Json schema;
    if (field.holder == Holder::one) {
        const bool always = !field.pointer && (field.shape == Shape::object ||
                                               !(field.omit_empty || field.omit_zero));
        schema = value_schema(field, always, uses);
    } else {
        Json inner = value_schema(field, true, uses);
        if (field.holder == Holder::list) schema = {{"type", "array"}, {"items", std::move(inner)}};
        else schema = {{"type", "object"}, {"additionalProperties", std::move(inner)}};
    }
    if (!field.fallback.empty())
        if (auto value = parse_json(field.fallback)) schema["default"] = *value;
    static constexpr const char* list_types[] = {"atomic", "set", "map"};
    if (field.list_type)
        schema["x-kubernetes-list-type"] = list_types[static_cast<int>(*field.list_type)];
    if (!field.list_keys.empty()) schema["x-kubernetes-list-map-keys"] = field.list_keys;
    if (field.atomic_map) schema["x-kubernetes-map-type"] = "atomic";
    if (field.granular_map) schema["x-kubernetes-map-type"] = "granular";
    if (!field.merge_key.empty()) schema["x-kubernetes-patch-merge-key"] = field.merge_key;
    if (!field.patch_strategy.empty()) schema["x-kubernetes-patch-strategy"] = field.patch_strategy;
    return schema;
}

// In the order of the Go type, which kubectl explain shows.
void add_required(const Type& type, Json& required) {
    for (const TypeField& field : type.fields) {
        if (field.inlined) add_required(*field.type, required);
        else if (field.required) required.push_back(field.name);
    }
}

// A CRD's schema with every shared part in its place. Parts are written once and copied as text.
class Inliner {
public:
    std::string text(const Json& schema) {
        const Json& reference = member(schema, "$ref");
        if (!reference.is_number()) return plain(schema);
        const auto [at, fresh] = shared_.try_emplace(reference.get<int>());
        if (fresh) at->second = plain(crd_resolved(schema));
        return at->second;
    }

    Texts members(const Json& schema) {
        Texts parts;
        for (const auto& [name, value] : schema.items()) {
            const bool nested = name == "items" || name == "additionalProperties";
            if (name == "properties") parts.emplace_back(name, properties(value));
            else
                parts.emplace_back(name,
                                   nested && value.is_object() ? text(value) : dump_json(value));
        }
        // The schemas leave this out, since the other keyword says it.
        if (bool_at(schema, "x-kubernetes-int-or-string"))
            parts.emplace_back("anyOf", R"([{"type":"integer"},{"type":"string"}])");
        return parts;
    }

    std::string properties(const Json& schemas) {
        Texts parts;
        for (const auto& [name, schema] : schemas.items()) parts.emplace_back(name, text(schema));
        return json_object(parts);
    }

private:
    std::string plain(const Json& schema) { return json_object(members(schema)); }

    std::map<int, std::string> shared_;
};

}  // namespace

std::string json_object(const Texts& members) {
    std::string text = "{";
    for (const auto& [name, value] : members) {
        if (text.size() > 1) text += ',';
        text += dump_json(Json(name));
        text += ':';
        text += value;
    }
    return text + "}";
}

Texts schema_of_type(const Type& type, std::set<std::string>& uses) {
    Texts properties, schema = {{"type", "\"object\""}};
    for (const TypeField* field : type.members)
        properties.emplace_back(field->name, dump_json(member_schema(*field, uses)));
    Json required = Json::array();
    add_required(type, required);
    if (!properties.empty()) schema.emplace_back("properties", json_object(properties));
    if (!required.empty()) schema.emplace_back("required", dump_json(required));
    if (type.atomic) schema.emplace_back("x-kubernetes-map-type", "\"atomic\"");
    return schema;
}

std::string special_schema(std::string_view name) {
    for (const Special& special : specials)
        if (full_name(special) == name) return std::string(special.schema);
    return "{}";
}

Texts schema_of_custom(const Kind& kind, std::set<std::string>& uses) {
    static const std::string metadata = std::string(machinery) + "apis.meta.v1.ObjectMeta";
    static Inliner inliner;
    const Json& schema = crd_schema(kind);
    Texts parts = inliner.members(schema);
    uses.insert(metadata);
    Texts properties;
    for (const auto& [name, property] : member(schema, "properties").items()) {
        const Json whole = {{"allOf", {{{"$ref", "#/components/schemas/" + metadata}}}}};
        properties.emplace_back(name,
                                name == "metadata" ? dump_json(whole) : inliner.text(property));
    }
    for (auto& [name, text] : parts)
        if (name == "properties") text = json_object(properties);
    return parts;
}

std::string schema_name(const Kind& kind) {
    if (const Type* type = type_of(kind.api_version(), kind.kind); type != nullptr)
        return type->name;
    std::string name(kind.version);
    // Groups are written backwards: trainer.kubeflow.org -> org.kubeflow.trainer.
    for (std::string_view rest = kind.group; !rest.empty();) {
        const auto dot = rest.find('.');
        name = std::string(rest.substr(0, dot)) + (name.empty() ? "" : ".") + name;
        rest = dot == rest.npos ? std::string_view() : rest.substr(dot + 1);
    }
    return name + "." + std::string(kind.kind);
}

}  // namespace shed
