#pragma once
// Custom resources as their CRDs define them: an OpenAPI schema with defaults, limits and CEL rules. The schemas are
// data of shed::types; everything here only interprets them.
#include "fakes/kube/kube.hpp"

namespace shed::admission {

// The schema of a whole object, or null when the kind has none. References in it are followed by `resolved`.
const Json& schema_of(const Kind& kind);
const Json& resolved(const Json& schema);
// The schema of one property, or null.
const Json& property_schema(const Json& schema, const std::string& name);

// What decoding does to a custom resource: whole floats become integers, nulls that the schema does not allow are
// dropped, defaults are filled in.
void default_by_schema(const Kind& kind, Json& object);

// The first wrong type, in the words of a webhook that decodes into Go structs; empty when all is well.
std::string go_decode_error(const Kind& kind, const Json& object);

// What `errors` of the metadata there are, schema errors, then list-map duplicates, then CEL. With `status_only` only the status is looked at, as the status
// subresource does. Parts that an update leaves alone are not complained about.
std::vector<FieldError> validate_by_schema(const Kind& kind, const Json& object, const Json* old,
                                           bool status_only,
                                           std::vector<FieldError> errors);

}  // namespace shed::admission
