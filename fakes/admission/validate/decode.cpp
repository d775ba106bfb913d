// Members of the wrong type, in the words of Go's decoder: the first one, though it would read on.
#include "fakes/admission/internal.hpp"
#include "fakes/types/types.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

std::string short_name(const Type& type) { return type.name.substr(type.name.rfind('.') + 1); }

std::string go_type(const TypeField& field, bool whole) {
    if (whole && field.holder == Holder::list) return "[]" + go_type(field, false);
    if (whole && field.holder == Holder::map) return "map[string]" + go_type(field, false);
    switch (field.shape) {
        case Shape::object:
            return "v1." + short_name(*field.type);
        case Shape::boolean:
            return "bool";
        case Shape::int32:
            return "int32";
        case Shape::int64:
            return "int64";
        case Shape::real:
            return "float64";
        case Shape::bytes:
            return "[]uint8";
        default:
            return "string";
    }
}

std::string go_kind(const Json& value) {
    if (value.is_string()) return "string";
    if (value.is_boolean()) return "bool";
    if (value.is_array()) return "array";
    return value.is_object() ? "object" : "number";
}

// Where the first byte stands that encoding/base64 does not accept; npos when all is well.
std::size_t bad_base64(std::string_view text) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::size_t in_group = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n' || text[i] == '\r') continue;
        if (digits.find(text[i]) != std::string_view::npos) {
            in_group = (in_group + 1) % 4;
            continue;
        }
        if (text[i] != '=' || in_group < 2) return i;
        if (in_group == 3) return i + 1 == text.size() ? text.npos : i + 1;
        if (i + 1 == text.size()) return text.size();
        if (text[i + 1] != '=') return i + 1;
        return i + 2 == text.size() ? text.npos : i + 2;
    }
    return in_group == 0 ? text.npos : text.size() - in_group;
}

// resource.ParseQuantity tells a bad form from a good one with a suffix that nobody has.
std::string quantity_problem(const Json& value) {
    if (Quantity::from_json(value)) return "";
    const std::string text = value.is_string() ? value.get<std::string>() : dump_json(value);
    const auto skip = [&text](std::size_t at, std::string_view chars) {
        const auto end = text.find_first_not_of(chars, at);
        return end == std::string::npos ? text.size() : end;
    };
    const std::size_t number = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
    const std::size_t suffix = skip(number, "0123456789.");
    std::size_t end = skip(suffix, "eEinumkKMGTP");
    if (end < text.size() && (text[end] == '+' || text[end] == '-')) ++end;
    const bool shaped = suffix > number && skip(end, "0123456789") == text.size();
    return shaped ? "unable to parse quantity's suffix" : std::string(quantity_text);
}

std::string time_problem(const Json& value) {
    if (!value.is_string())
        return "json: cannot unmarshal " + go_kind(value) + " into Go value of type string";
    const std::string text = value.get<std::string>();
    if (parse_time(text)) return "";
    return "parsing time " + json_quoted(text) +
           " as \"2006-01-02T15:04:05Z07:00\": cannot parse " + json_quoted(text) + " as \"2006\"";
}

bool fits_integer(const Json& value, Shape shape) {
    if (!value.is_number_integer()) return false;
    if (shape == Shape::int64) return true;
    const auto number = value.get<std::int64_t>();
    return number >= INT32_MIN && number <= INT32_MAX;
}

class Decoder {
public:
    std::string object(const Type& type, const Json& value, const std::string& path) const {
        for (const auto& [name, part] : value.items()) {
            const TypeField* field = type.find(name);
            if (field == nullptr || part.is_null()) continue;
            const std::string below = path.empty() ? name : path + "." + name;
            if (std::string problem = held({type, *field, below}, part); !problem.empty())
                return problem;
        }
        return "";
    }

private:
    struct Place {
        const Type& holder;
        const TypeField& field;
        const std::string& path;
    };

    static std::string mismatch(const Place& place, const Json& value, bool whole) {
        const std::string wanted = go_type(place.field, whole);
        std::string what = go_kind(value);
        // Of numbers that do not fit, the decoder also says which.
        if (value.is_number() && wanted.starts_with("int")) what += " " + dump_json(value);
        return "json: cannot unmarshal " + what + " into Go struct field " +
               short_name(place.holder) + "." + place.path + " of type " + wanted;
    }

    std::string held(const Place& place, const Json& value) const {
        const Holder holder = place.field.holder;
        if (holder == Holder::one) return single(place, value);
        if (holder == Holder::list ? !value.is_array() : !value.is_object())
            return mismatch(place, value, true);
        for (const Json& item : value) {
            if (item.is_null()) continue;
            if (std::string problem = single(place, item); !problem.empty()) return problem;
        }
        return "";
    }

    std::string single(const Place& place, const Json& value) const {
        const Shape shape = place.field.shape;
        switch (shape) {
            case Shape::object:
                return value.is_object() ? object(*place.field.type, value, place.path)
                                         : mismatch(place, value, false);
            case Shape::string:
                return value.is_string() ? "" : mismatch(place, value, false);
            case Shape::boolean:
                return value.is_boolean() ? "" : mismatch(place, value, false);
            case Shape::int32:
            case Shape::int64:
                return fits_integer(value, shape) ? "" : mismatch(place, value, false);
            case Shape::bytes:
                return bytes(place, value);
            case Shape::quantity:
                return quantity_problem(value);
            case Shape::time:
            case Shape::micro_time:
                return time_problem(value);
            default:
                return "";
        }
    }

    static std::string bytes(const Place& place, const Json& value) {
        if (!value.is_string()) return mismatch(place, value, false);
        const std::size_t bad = bad_base64(value.get_ref<const std::string&>());
        return bad == std::string::npos
                   ? ""
                   : "illegal base64 data at input byte " + std::to_string(bad);
    }
};

}  // namespace

std::string builtin_decode_error(const Kind& kind, const Json& object) {
    const Type* type = type_of(kind.api_version(), kind.kind);
    return type == nullptr ? "" : Decoder().object(*type, object, "");
}

}  // namespace shed::admission
