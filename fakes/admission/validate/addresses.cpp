// IP addresses and ranges, with the strictness of v1.36: what older servers let pass is named, not
// read as something else.
#include "fakes/admission/validate/rules.hpp"

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

struct Address {
    int family = 0;
    std::array<unsigned char, 16> bytes{};
};

std::optional<Address> parse_address(const std::string& text) {
    Address address;
    for (const int family : {AF_INET, AF_INET6}) {
        address.family = family;
        if (inet_pton(family, text.c_str(), address.bytes.data()) == 1) return address;
    }
    return std::nullopt;
}

// The server still reads octets with leading zeros, to say that they are no longer allowed.
std::string without_leading_zeros(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool starts = i == 0 || text[i - 1] == '.';
        if (starts)
            while (i + 1 < text.size() && text[i] == '0' && text[i + 1] >= '0' &&
                   text[i + 1] <= '9')
                ++i;
        out += text[i];
    }
    return out;
}

bool starts_with_zeros(const Address& address, std::ptrdiff_t count) {
    return std::all_of(address.bytes.begin(), address.bytes.begin() + count,
                       [](unsigned char b) { return b == 0; });
}

bool maps_v4(const Address& address) {
    return address.family == AF_INET6 && starts_with_zeros(address, 10) &&
           address.bytes[10] == 0xff && address.bytes[11] == 0xff;
}

bool has_bits_beyond(const Address& address, int prefix) {
    const int length = address.family == AF_INET ? 32 : 128;
    for (int bit = prefix; bit < length; ++bit)
        if ((address.bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8) & 1) != 0)
            return true;
    return false;
}

}  // namespace

bool is_ipv6(std::string_view text) {
    const auto address = parse_address(std::string(text));
    return address && address->family == AF_INET6;
}

void validate_ip(const Field& ip) {
    const std::string text = ip.text();
    const auto address = parse_address(text);
    if (!address && parse_address(without_leading_zeros(text)))
        return ip.invalid(text, "must not have leading 0s");
    if (!address)
        return ip.invalid(text, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)");
    if (maps_v4(*address)) ip.invalid(text, "must not be an IPv4-mapped IPv6 address");
}

void validate_endpoint_ip(const Field& ip) {
    const auto address = parse_address(without_leading_zeros(ip.text()));
    if (!address) return ip.invalid(ip.text(), "must be a valid IP address");
    const auto& b = address->bytes;
    const bool v4 = address->family == AF_INET;
    if (starts_with_zeros(*address, v4 ? 4 : 16))
        ip.invalid("may not be unspecified (" + ip.text() + ")");
    if (v4 ? b[0] == 127 : starts_with_zeros(*address, 15) && b[15] == 1)
        ip.invalid("may not be in the loopback range (127.0.0.0/8, ::1/128)");
    if (v4 ? b[0] == 169 && b[1] == 254 : b[0] == 0xfe && (b[1] & 0xc0) == 0x80)
        ip.invalid("may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    if (v4 ? b[0] == 224 && b[1] == 0 && b[2] == 0 : b[0] == 0xff && (b[1] & 0x0f) == 2)
        ip.invalid("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

void validate_cidr(const Field& cidr) {
    const std::string text = cidr.text();
    const auto slash = text.find('/');
    const std::string length = slash == std::string::npos ? "" : text.substr(slash + 1);
    const auto address = parse_address(without_leading_zeros(text.substr(0, slash)));
    int prefix = -1;
    const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), prefix);
    const bool read = error == std::errc() && end == length.data() + length.size() && prefix >= 0;
    if (!address || !read || prefix > (address->family == AF_INET ? 32 : 128))
        return cidr.invalid(text,
                            "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)");
    if (!parse_address(text.substr(0, slash)) || (length.size() > 1 && length[0] == '0'))
        return cidr.invalid(text, "must not have leading 0s in IP or prefix length");
    if (maps_v4(*address)) return cidr.invalid(text, "must not have an IPv4-mapped IPv6 address");
    if (has_bits_beyond(*address, prefix))
        cidr.invalid(text, "must not have bits set beyond the prefix length");
}

}  // namespace shed::admission
