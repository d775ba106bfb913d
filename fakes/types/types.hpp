#pragma once
// What is known of each type of the API, from generated data: protobuf numbers, JSON names, merge
// keys, list types, required members. Built-in types come from table.txt, custom resources from the
// schemas of their CRDs. Feeds protobuf decoding, strict field validation, strategic merge,
// server-side apply, OpenAPI and error texts. Promises: everything handed out lives as long as the program.
// Never looks at values beyond their shape.
#include "fakes/kube/kube.hpp"

#include <vector>

namespace shed {

enum class ListType { atomic, set, map };

// What one value looks like on the wire and in JSON. The names from `time` on have a JSON form of
// their own.
enum class Shape {
    string,
    boolean,
    int32,
    int64,
    real,
    bytes,
    object,
    time,
    micro_time,
    quantity,
    int_or_string,
    raw,            // runtime.RawExtension: any object
    fields,         // metav1.FieldsV1
    json,           // any JSON value
    strings,        // a list of strings that is a message on the wire
    props_or_bool,  // these three hold schemas in CustomResourceDefinitions
    props_or_array,
    props_or_strings,
};
enum class Holder { one, list, map };

struct Type;

struct TypeField {
    std::string_view name;  // in JSON; empty when inlined
    int number = 0;         // in protobuf; 0 when not there
    Shape shape = Shape::string;
    Holder holder = Holder::one;
    const Type* type = nullptr;                                   // of Shape::object
    bool pointer = false, omit_empty = false, omit_zero = false;  // how Go encodes it to JSON
    bool inlined = false;                                         // its members are its parent's
    bool required = false;
    bool atomic_map = false;            // server-side apply owns it as a whole
    bool granular_map = false;          // it does not, though its type says so
    std::optional<ListType> list_type;  // unset: atomic
    std::vector<std::string_view> list_keys;
    std::string_view merge_key;            // of a strategic merge
    std::string_view patch_strategy;       // "merge", "retainKeys", "merge,retainKeys", "replace"
    std::string_view fallback;             // the default, as JSON text
    std::vector<std::string_view> values;  // of an enumeration
};

struct Type {
    std::string name;  // "io.k8s.api.core.v1.PodSpec"
    bool atomic = false;
    std::vector<TypeField> fields;  // its own, in Go's order
    std::vector<const TypeField*>
        members;  // as JSON sees them: inlined types opened, sorted by name
    const TypeField* find(
        std::string_view json_name) const;  // nullptr when there is no such member
};

// The type of a whole object of this kind; nullptr when the table has none (custom resources have
// their own schema). Options (DeleteOptions ...) are known in every group version.
const Type* type_of(std::string_view api_version, std::string_view kind);
// By table name, "io.k8s.api.core.v1.PodTemplateSpec".
const Type* find_type(std::string_view name);
const std::vector<const Type*>& all_types();

// The CRD's schema of a whole custom object, or null when the kind has none. Schemas refer to
// shared parts by
// {"$ref": N}: `crd_resolved` follows that; `crd_property` finds one property (or a map's values),
// or null.
const Json& crd_schema(const Kind& kind);
const Json& crd_resolved(const Json& schema);
const Json& crd_property(const Json& schema, const std::string& name);

// Decodes a body that starts with "k8s\0" (runtime.Unknown) into the JSON that Go would make of the
// same object, with apiVersion and kind. Errors are bad_request and name the byte.
Result<Json> decode_protobuf(std::string_view body);

// Paths of members the schema does not know ("spec.foo", "spec.containers[0].bar"), ordered by
// name. For custom kinds the CRD's schema decides. Used for fieldValidation=Strict|Warn and for
// pruning.
std::vector<std::string> unknown_fields(const Kind& kind, const Json& object);
void prune_unknown(const Kind& kind, Json& object);

// A value as error texts print the real server's own struct: members by their Go names, in Go's
// order, unset ones too. `type` is a name of go_structs.txt ("core.PodSpec", "[]core.Taint") or of
// the public package meta ("meta.LabelSelector"). Indented, it is what the server makes diffs of.
std::string go_text(std::string_view type, const Json& value, bool indented = false);

// The OpenAPI v3 document of one group version, good for kubectl create, apply, explain. Made when
// first asked for.
std::string openapi_v3(std::string_view group, std::string_view version);

}  // namespace shed
