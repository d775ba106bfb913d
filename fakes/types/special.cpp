#include "fakes/types/special.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

// The messages behind the special shapes have at most three members, each a number or bytes.
struct Flat {
    std::optional<std::uint64_t> numbers[4];
    std::optional<std::string_view> bytes[4];
    std::size_t positions[4] = {};
    std::vector<std::string_view> repeated;  // all values of member 1

    std::int64_t signed_number(int i) const {
        return static_cast<std::int64_t>(numbers[i].value_or(0));
    }
};

Result<Flat> read_flat(WireReader reader) {
    Flat flat;
    while (!reader.done()) {
        const auto tag = reader.tag();
        if (!tag) return tag.error();
        if (tag->number > 3 || (tag->type != WireType::varint && tag->type != WireType::length)) {
            if (auto skipped = reader.skip(*tag); !skipped) return skipped.error();
        } else if (tag->type == WireType::varint) {
            const auto value = reader.varint();
            if (!value) return value.error();
            flat.numbers[tag->number] = *value;
        } else {
            const auto inner = reader.message();
            if (!inner) return inner.error();
            flat.positions[tag->number] = inner->position();
            flat.bytes[tag->number] = inner->rest();
            if (tag->number == 1) flat.repeated.push_back(inner->rest());
        }
    }
    return flat;
}

Result<Json> time_json(const Flat& flat, std::size_t position, bool micro) {
    if (!flat.numbers[1] && !flat.numbers[2]) return Json();  // the zero time is an empty message
    // RFC 3339 has years 0 to 9999 only.
    constexpr std::int64_t seconds_min = -62167219200, seconds_max = 253402300799;
    const std::int64_t seconds = flat.signed_number(1);
    const auto nanos = static_cast<std::int32_t>(flat.signed_number(2));
    if (seconds < seconds_min || seconds > seconds_max || nanos < 0 || nanos > 999'999'999)
        return wire_error(position, "time out of range");
    const Time time{std::chrono::seconds(seconds) + std::chrono::microseconds(nanos / 1000)};
    return Json(micro ? format_micro_time(time) : format_time(time));
}

Result<Json> int_or_string_json(const Flat& flat, std::size_t position) {
    const std::int64_t type = flat.signed_number(1);
    if (type == 0) return Json(static_cast<std::int32_t>(flat.signed_number(2)));
    if (type == 1) return json_string(flat.bytes[3].value_or(""));
    return wire_error(position, "impossible IntOrString.Type");
}

Result<Json> quantity_json(const Flat& flat, std::size_t position) {
    if (!flat.bytes[1] || flat.bytes[1]->empty()) return Json("0");
    // Clients write the canonical form, so it is kept as it is.
    if (!Quantity::parse(*flat.bytes[1]))
        return wire_error(position,
                          "quantities must match the regular expression "
                          "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return json_string(*flat.bytes[1]);
}

Result<Json> embedded_json(const Flat& flat) {
    if (!flat.bytes[1] || flat.bytes[1]->empty()) return Json();
    auto parsed = parse_json(*flat.bytes[1]);
    if (!parsed) return wire_error(flat.positions[1], "embedded JSON: " + parsed.error().message);
    return parsed;
}

Json strings_json(const Flat& flat) {
    Json list = Json::array();
    for (const std::string_view text : flat.repeated) list.push_back(json_string(text));
    return list;
}

}  // namespace

Result<Json> decode_special(Shape shape, WireReader reader) {
    const std::size_t position = reader.position();
    const auto flat = read_flat(reader);
    if (!flat) return flat.error();
    switch (shape) {
        case Shape::time:
        case Shape::micro_time:
            return time_json(*flat, position, shape == Shape::micro_time);
        case Shape::quantity:
            return quantity_json(*flat, position);
        case Shape::int_or_string:
            return int_or_string_json(*flat, position);
        case Shape::strings:
            return strings_json(*flat);
        default:
            return embedded_json(*flat);
    }
}

Json zero_special(Shape shape) {
    if (shape == Shape::quantity) return "0";
    if (shape == Shape::int_or_string) return 0;
    if (shape == Shape::strings) return Json::array();
    return nullptr;
}

Json json_string(std::string_view bytes) {
    const bool ascii = std::all_of(bytes.begin(), bytes.end(),
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (ascii) return Json(bytes);
    // Writing replaces what is not UTF-8; reading that back is the cheapest way to the clean text.
    auto clean = parse_json(dump_json(Json(bytes)));
    return clean ? std::move(*clean) : Json("");
}

}  // namespace shed
