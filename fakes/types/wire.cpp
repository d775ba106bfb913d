#include "fakes/types/wire.hpp"

namespace shed {

Error wire_error(std::size_t position, const std::string& problem) {
    return {Reason::bad_request, "unable to decode the protobuf body at byte " +
                                     std::to_string(position) + ": " + problem};
}

Result<std::uint64_t> WireReader::varint() {
    std::uint64_t value = 0;
    const std::size_t start = position();
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (done()) return wire_error(position(), "unexpected EOF");
        const auto byte = static_cast<unsigned char>(bytes_[at_++]);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80) return value;
    }
    return wire_error(start, "integer overflow");
}

Result<Tag> WireReader::tag() {
    const std::size_t start = position();
    const auto value = varint();
    if (!value) return value.error();
    // The number is an int32 in the reference implementation.
    const auto number = static_cast<std::int32_t>(*value >> 3);
    const int type = static_cast<int>(*value & 7);
    if (number <= 0) return wire_error(start, "illegal tag " + std::to_string(number));
    if (type > 5) return wire_error(start, "illegal wireType " + std::to_string(type));
    return Tag{number, static_cast<WireType>(type), start};
}

Result<std::uint64_t> WireReader::fixed64() {
    if (bytes_.size() - at_ < 8) return wire_error(position(), "unexpected EOF");
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i)
        value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes_[at_++])) << (8 * i);
    return value;
}

Result<void> WireReader::skip_bytes(std::uint64_t count) {
    if (count > bytes_.size() - at_) return wire_error(position(), "unexpected EOF");
    at_ += count;
    return {};
}

Result<WireReader> WireReader::message() {
    const auto length = varint();
    if (!length) return length.error();
    const WireReader inner(bytes_.substr(at_, *length), position());
    if (auto skipped = skip_bytes(*length); !skipped) return skipped.error();
    return inner;
}

Result<void> WireReader::skip(Tag tag) {
    // Groups may nest; counting them needs no recursion.
    int depth = 0;
    do {
        switch (tag.type) {
            case WireType::varint:
                if (auto value = varint(); !value) return value.error();
                break;
            case WireType::fixed64:
                if (auto done = skip_bytes(8); !done) return done;
                break;
            case WireType::fixed32:
                if (auto done = skip_bytes(4); !done) return done;
                break;
            case WireType::length:
                if (auto inner = message(); !inner) return inner.error();
                break;
            case WireType::start_group:
                ++depth;
                break;
            case WireType::end_group:
                if (--depth < 0) return wire_error(tag.position, "unexpected end of group");
                break;
        }
        if (depth == 0) return {};
        const auto following = this->tag();
        if (!following) return following.error();
        tag = *following;
    } while (true);
}

}  // namespace shed
