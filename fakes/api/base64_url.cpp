// The alphabet of continue tokens: RFC 4648 section 5, without padding.
#include "fakes/api/internal.hpp"

namespace shed {

namespace {

constexpr std::string_view base64_letters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string base64_url(std::string_view bytes) {
    std::string text;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (unsigned char c : bytes) {
        buffer = (buffer << 8) | c;
        for (bits += 8; bits >= 6; bits -= 6) text += base64_letters[(buffer >> (bits - 6)) & 63];
    }
    if (bits > 0) text += base64_letters[(buffer << (6 - bits)) & 63];
    return text;
}

Result<std::string> from_base64_url(std::string_view text) {
    std::string bytes;
    std::uint32_t buffer = 0;
    int bits = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto value = base64_letters.find(text[i]);
        if (value == std::string_view::npos)
            return bad_request("illegal base64 data at input byte " + std::to_string(i));
        buffer = (buffer << 6) | static_cast<std::uint32_t>(value);
        if ((bits += 6) >= 8) {
            bits -= 8;
            bytes.push_back(static_cast<char>((buffer >> bits) & 255));
        }
    }
    return bytes;
}

}  // namespace shed
