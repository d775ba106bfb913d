// The schemas of the custom resources, as tools/make_crd_schemas.py took them from upstream's CRDs.
#include "fakes/types/embedded.hpp"
#include "fakes/types/types.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

const Json& document() {
    static const Json parsed = [] {
        auto result = parse_json(embedded::crd_schemas_json);
        SHED_CHECK(result.has_value());
        return std::move(*result);
    }();
    return parsed;
}

}  // namespace

const Json& crd_schema(const Kind& kind) {
    return member(member(document(), "kinds"), kind.api_version() + "/" + std::string(kind.kind));
}

const Json& crd_resolved(const Json& schema) {
    const Json& reference = member(schema, "$ref");
    if (!reference.is_number()) return schema;
    return crd_resolved(document()["shared"][reference.get<std::size_t>()]);
}

const Json& crd_property(const Json& schema, const std::string& name) {
    const Json& found = member(member(schema, "properties"), name);
    if (!found.is_null()) return crd_resolved(found);
    const Json& values = member(schema, "additionalProperties");
    return values.is_object() ? crd_resolved(values) : member(schema, "");
}

}  // namespace shed
