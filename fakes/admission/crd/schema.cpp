#include "fakes/admission/crd/schema.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

const Json& document() {
    static const Json parsed = [] {
        auto result = parse_json(crd_schemas_text);
        SHED_CHECK(result.has_value());
        return std::move(*result);
    }();
    return parsed;
}

// Go's JSON decoder of the real server reads 2.0 as the integer 2.
void whole_numbers(Json& value) {
    if (value.is_structured()) {
        for (Json& part : value) whole_numbers(part);
        return;
    }
    if (!value.is_number_float()) return;
    const double number = value.get<double>();
    if (std::trunc(number) == number && std::fabs(number) < 9e15)
        value = static_cast<std::int64_t>(number);
}

void fill(const Json& reference, Json& value);

void fill_object(const Json& schema, Json& object) {
    for (const auto& [name, sub] : member(schema, "properties").items()) {
        const Json& property = resolved(sub);
        const auto found = object.find(name);
        const bool null = found != object.end() && found->is_null() && !bool_at(property, "nullable");
        if (found == object.end() || null) {
            if (property.contains("default")) object[name] = property["default"];
            else if (null) object.erase(name);
        }
        if (const auto now = object.find(name); now != object.end()) fill(property, *now);
    }
    const Json& values = member(schema, "additionalProperties");
    if (!values.is_object()) return;
    for (Json& value : object) fill(values, value);
}

void fill(const Json& reference, Json& value) {
    const Json& schema = resolved(reference);
    if (value.is_object()) {
        fill_object(schema, value);
    } else if (value.is_array() && schema.contains("items")) {
        for (Json& item : value) fill(schema["items"], item);
    }
}

}  // namespace

const Json& schema_of(const Kind& kind) {
    return member(member(document(), "kinds"),
                  std::string(kind.group) + "/" + std::string(kind.version) + "/" + std::string(kind.kind));
}

const Json& resolved(const Json& schema) {
    const Json& reference = member(schema, "$ref");
    if (!reference.is_number()) return schema;
    return resolved(document()["shared"][reference.get<std::size_t>()]);
}

const Json& property_schema(const Json& schema, const std::string& name) {
    const Json& found = member(member(schema, "properties"), name);
    if (!found.is_null()) return resolved(found);
    const Json& values = member(schema, "additionalProperties");
    return values.is_object() ? resolved(values) : member(schema, "");
}

void default_by_schema(const Kind& kind, Json& object) {
    whole_numbers(object);
    fill(schema_of(kind), object);
}

}  // namespace shed::admission
