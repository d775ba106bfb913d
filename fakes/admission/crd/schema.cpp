#include "fakes/admission/crd/schema.hpp"
#include "fakes/types/types.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

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

const Json& schema_of(const Kind& kind) { return crd_schema(kind); }

const Json& resolved(const Json& schema) { return crd_resolved(schema); }

const Json& property_schema(const Json& schema, const std::string& name) {
    return crd_property(schema, name);
}

void default_by_schema(const Kind& kind, Json& object) {
    whole_numbers(object);
    fill(schema_of(kind), object);
}

}  // namespace shed::admission
