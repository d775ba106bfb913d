#pragma once
// 32-bit numbers in network byte order, for this module only.
#include <cstdint>
#include <string>
#include <string_view>

namespace shed::spdy {

inline void append_word(std::string& to, std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8)
        to.push_back(static_cast<char>(value >> shift & 0xff));
}

// The caller has seen that there are four bytes.
inline std::uint32_t word_at(std::string_view bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
}

}  // namespace shed::spdy
