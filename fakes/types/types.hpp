#pragma once
// What is known of each built-in type, from one generated table: protobuf numbers, JSON names, merge keys, list types,
// required fields. Feeds protobuf decoding, strict field validation, strategic merge, server-side apply and OpenAPI.
#include "fakes/kube/kube.hpp"

namespace shed {

enum class ListType { atomic, set, map };

struct TypeField {};
struct Type {
    std::string_view name;  // "io.k8s.api.core.v1.PodSpec"
    std::span<const TypeField> fields;
    const TypeField* find(std::string_view json_name) const;
};

// The type of a whole object of this kind; nullptr when the table has none (custom resources have their own schema).
const Type* type_of(std::string_view api_version, std::string_view kind);

// Decodes a body that starts with "k8s\0" (runtime.Unknown) into JSON with apiVersion and kind.
// Errors are bad_request and name the position. Facts: shared/spec/clients.md section 4.1.
Result<Json> decode_protobuf(std::string_view body);

// Paths of members the schema does not know ("spec.foo", "spec.containers[0].bar"), in document order.
// For custom kinds the embedded schema decides. Used for fieldValidation=Strict|Warn and for pruning custom resources.
std::vector<std::string> unknown_fields(const Kind& kind, const Json& object);
void prune_unknown(const Kind& kind, Json& object);

// The OpenAPI v3 document of one group version ("api/v1", "apis/batch/v1"), good for kubectl create, apply, explain.
std::string openapi_v3(std::string_view group, std::string_view version);

}  // namespace shed
