// Protobuf bodies of built-in types, by the table: fields are read as they come, then what Go's
// JSON encoder would leave out is left out and what it would write of absent fields is written.
#include "fakes/base/base64.hpp"
#include "fakes/types/special.hpp"
#include "fakes/types/types.hpp"

#include <bit>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view magic("k8s\0", 4);
constexpr int depth_max = 200;  // only the schemas of CustomResourceDefinitions nest without end

bool is_scalar(Shape shape) { return shape < Shape::bytes; }

bool is_props(Shape shape) {
    return shape == Shape::props_or_bool || shape == Shape::props_or_array ||
           shape == Shape::props_or_strings;
}

const Type& props_type() {
    static const Type* type =
        find_type("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps");
    return *type;
}

class Decoder {
public:
    Result<void> message(const Type& type, WireReader reader, Json& object);
    Result<Json> value(const TypeField& field, Tag tag, WireReader& reader);

private:
    Result<void> field(const TypeField& field, Tag tag, WireReader& reader, Json& object);
    Result<void> map_entry(const TypeField& field, WireReader entry, Json& map);
    Result<Json> props(Shape shape, WireReader reader);

    int depth_ = 0;
};

Json zero_object(const Type& type);

// What Go writes for a value that is not there.
Json zero_value(const TypeField& field) {
    if (field.pointer || field.holder != Holder::one) return nullptr;
    switch (field.shape) {
        case Shape::string:
            return "";
        case Shape::boolean:
            return false;
        case Shape::int32:
        case Shape::int64:
            return 0;
        case Shape::real:
            return 0.0;
        case Shape::object:
            return zero_object(*field.type);
        default:
            return zero_special(field.shape);
    }
}

// Go's omitempty leaves out zero scalars, nil pointers and empty lists and maps, never structs.
bool is_omitted(const TypeField& field, const Json& value) {
    if (field.omit_zero && value == zero_value(field)) return true;
    if (!field.omit_empty) return false;
    if (field.holder != Holder::one) return value.empty();
    if (field.pointer) return value.is_null();
    if (is_scalar(field.shape)) return value == zero_value(field);
    if (field.shape == Shape::bytes) return value.is_null() || value == "";
    return false;
}

void complete(const Type& type, Json& object) {
    for (const TypeField& field : type.fields) {
        if (field.inlined) {
            complete(*field.type, object);
            continue;
        }
        const std::string name(field.name);
        const auto found = object.find(name);
        if (found == object.end()) {
            Json zero = zero_value(field);
            if (!is_omitted(field, zero)) object[name] = std::move(zero);
        } else if (is_omitted(field, *found)) {
            // A null pointer never gets here: a pointer on the wire points to something.
            if (!field.pointer) object.erase(found);
        }
    }
}

Json zero_object(const Type& type) {
    Json object = Json::object();
    complete(type, object);
    return object;
}

const TypeField* field_numbered(const Type& type, int number) {
    for (const TypeField& field : type.fields)
        if (field.number == number) return &field;
    return nullptr;
}

WireType wire_type_of(const TypeField& field) {
    if (field.holder == Holder::map) return WireType::length;
    switch (field.shape) {
        case Shape::boolean:
        case Shape::int32:
        case Shape::int64:
            return WireType::varint;
        case Shape::real:
            return WireType::fixed64;
        default:
            return WireType::length;
    }
}

Result<void> Decoder::message(const Type& type, WireReader reader, Json& object) {
    if (++depth_ > depth_max) return wire_error(reader.position(), "exceeded max depth");
    while (!reader.done()) {
        const auto tag = reader.tag();
        if (!tag) return tag.error();
        const TypeField* known = field_numbered(type, tag->number);
        auto read = known == nullptr ? reader.skip(*tag) : field(*known, *tag, reader, object);
        if (!read) return read;
    }
    complete(type, object);
    --depth_;
    return {};
}

Result<void> Decoder::field(const TypeField& field, Tag tag, WireReader& reader, Json& object) {
    if (tag.type != wire_type_of(field)) {
        const std::string name(field.inlined ? std::string_view(field.type->name) : field.name);
        return wire_error(tag.position,
                          "wrong wireType = " + std::to_string(static_cast<int>(tag.type)) +
                              " for field " + name);
    }
    if (field.inlined) {
        const auto inner = reader.message();
        return inner ? message(*field.type, *inner, object) : inner.error();
    }
    Json& place = object[std::string(field.name)];
    if (field.holder == Holder::map) {
        if (!place.is_object()) place = Json::object();
        const auto entry = reader.message();
        return entry ? map_entry(field, *entry, place) : entry.error();
    }
    if (field.holder == Holder::one && field.shape == Shape::object) {
        // A message that comes in parts is put together.
        if (!place.is_object()) place = Json::object();
        const auto inner = reader.message();
        return inner ? message(*field.type, *inner, place) : inner.error();
    }
    auto one = value(field, tag, reader);
    if (!one) return one.error();
    if (field.holder == Holder::one) {
        place = std::move(*one);
        return {};
    }
    if (!place.is_array()) place = Json::array();
    place.push_back(std::move(*one));
    return {};
}

Result<Json> Decoder::value(const TypeField& field, Tag, WireReader& reader) {
    if (field.shape == Shape::real) {
        const auto bits = reader.fixed64();
        if (!bits) return bits.error();
        return Json(std::bit_cast<double>(*bits));
    }
    if (is_scalar(field.shape) && field.shape != Shape::string) {
        const auto number = reader.varint();
        if (!number) return number.error();
        if (field.shape == Shape::boolean) return Json(*number != 0);
        if (field.shape == Shape::int32) return Json(static_cast<std::int32_t>(*number));
        return Json(static_cast<std::int64_t>(*number));
    }
    const auto inner = reader.message();
    if (!inner) return inner.error();
    if (field.shape == Shape::string) return json_string(inner->rest());
    if (field.shape == Shape::bytes) return Json(encode_base64(inner->rest()));
    if (is_props(field.shape)) return props(field.shape, *inner);
    if (field.shape != Shape::object) return decode_special(field.shape, *inner);
    Json object = Json::object();
    if (auto read = message(*field.type, *inner, object); !read) return read.error();
    return object;
}

Result<void> Decoder::map_entry(const TypeField& field, WireReader entry, Json& map) {
    TypeField single = field;
    single.holder = Holder::one;
    single.pointer = false;
    std::string key;
    // Go makes an empty slice for a missing value, where a missing field is a nil one.
    Json held = field.shape == Shape::bytes ? Json("") : zero_value(single);
    while (!entry.done()) {
        const auto tag = entry.tag();
        if (!tag) return tag.error();
        if (tag->number > 2) {
            if (auto skipped = entry.skip(*tag); !skipped) return skipped;
            continue;
        }
        if (tag->type != WireType::length)
            return wire_error(tag->position,
                              "wrong wireType in an entry of " + std::string(field.name));
        if (tag->number == 1) {
            const auto text = entry.message();
            if (!text) return text.error();
            key = json_string(text->rest()).get<std::string>();
        } else {
            auto read = value(single, *tag, entry);
            if (!read) return read.error();
            held = std::move(*read);
        }
    }
    map[key] = std::move(held);
    return {};
}

// Either a schema or a bool, list of schemas, or list of strings; the schema wins.
Result<Json> Decoder::props(Shape shape, WireReader reader) {
    Json schema, list = Json::array();
    bool allows = false;
    const int schema_number = shape == Shape::props_or_bool ? 2 : 1;
    while (!reader.done()) {
        const auto tag = reader.tag();
        if (!tag) return tag.error();
        if (tag->number == 1 && shape == Shape::props_or_bool && tag->type == WireType::varint) {
            const auto number = reader.varint();
            if (!number) return number.error();
            allows = *number != 0;
        } else if (tag->number <= 2 && tag->type == WireType::length) {
            const auto inner = reader.message();
            if (!inner) return inner.error();
            if (tag->number == 2 && shape == Shape::props_or_strings) {
                list.push_back(json_string(inner->rest()));
                continue;
            }
            Json read = Json::object();
            if (auto done = message(props_type(), *inner, read); !done) return done.error();
            if (tag->number == schema_number) schema = std::move(read);
            else list.push_back(std::move(read));
        } else if (auto skipped = reader.skip(*tag); !skipped) {
            return skipped.error();
        }
    }
    if (shape == Shape::props_or_strings && !list.empty()) return list;
    if (schema.is_object()) return schema;
    if (shape == Shape::props_or_bool) return Json(allows);
    return list.empty() ? Json() : list;
}

struct Envelope {
    std::string api_version, kind;
    WireReader raw{std::string_view()};
};

Result<void> read_type_meta(WireReader reader, Envelope& envelope) {
    while (!reader.done()) {
        const auto tag = reader.tag();
        if (!tag) return tag.error();
        if (tag->number > 2 || tag->type != WireType::length) {
            if (auto skipped = reader.skip(*tag); !skipped) return skipped;
            continue;
        }
        const auto text = reader.message();
        if (!text) return text.error();
        (tag->number == 1 ? envelope.api_version : envelope.kind) = text->rest();
    }
    return {};
}

// runtime.Unknown: the type, then the object itself as bytes.
Result<Envelope> read_envelope(WireReader reader) {
    Envelope envelope;
    while (!reader.done()) {
        const auto tag = reader.tag();
        if (!tag) return tag.error();
        if (tag->number > 4) {
            if (auto skipped = reader.skip(*tag); !skipped) return skipped.error();
            continue;
        }
        if (tag->type != WireType::length)
            return wire_error(tag->position, "wrong wireType in Unknown");
        const auto inner = reader.message();
        if (!inner) return inner.error();
        if (tag->number == 2) envelope.raw = *inner;
        if (tag->number == 1)
            if (auto read = read_type_meta(*inner, envelope); !read) return read.error();
    }
    return envelope;
}

}  // namespace

Result<Json> decode_protobuf(std::string_view body) {
    if (!body.starts_with(magic))
        return Error{Reason::bad_request,
                     "provided data does not appear to be a protobuf message, expected prefix "
                     "[107 56 115 0]"};
    const auto envelope = read_envelope(WireReader(body.substr(magic.size()), magic.size()));
    if (!envelope) return envelope.error();
    if (envelope->kind.empty())
        return Error{Reason::bad_request, "Object 'Kind' is missing in protobuf"};
    const Type* type = type_of(envelope->api_version, envelope->kind);
    if (type == nullptr)
        return Error{Reason::bad_request, "no kind \"" + envelope->kind +
                                              "\" is registered for version \"" +
                                              envelope->api_version +
                                              "\" in scheme \"pkg/api/legacyscheme/scheme.go:30\""};
    Json object = Json::object();
    Decoder decoder;
    if (auto read = decoder.message(*type, envelope->raw, object); !read) return read.error();
    object["apiVersion"] = json_string(envelope->api_version);
    object["kind"] = json_string(envelope->kind);
    return object;
}

}  // namespace shed
