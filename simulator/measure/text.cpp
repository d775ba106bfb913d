#include "simulator/measure/text.hpp"

#include "fakes/base/time.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace shed::measure {

namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::string fixed(double value, int decimals) {
    std::array<char, 400> buffer{};  // the largest double has 309 digits before the point
    const int length = std::snprintf(buffer.data(), buffer.size(), "%.*f", decimals, value);
    return std::string(buffer.data(), static_cast<std::size_t>(length));
}

// The length of the UTF-8 sequence at the start of `text` (Unicode 15, table 3-7), or 0 when it is
// ill-formed.
std::size_t sequence_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xC0) != 0x80) return 0;
    const bool overlong = (lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xF0 && byte(1) < 0x90);
    const bool surrogate = lead == 0xED && byte(1) > 0x9F;
    const bool beyond = lead == 0xF4 && byte(1) > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
}

bool forbidden(std::string_view sequence) {
    const auto first = static_cast<unsigned char>(sequence[0]);
    if (sequence.size() == 1)
        return (first < 0x20 && first != '\t' && first != '\n' && first != '\r') || first == 0x7F;
    if (sequence == "\xEF\xBF\xBE" || sequence == "\xEF\xBF\xBF") return true;
    return first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;  // C1 controls
}

template <class Append>
void for_each_character(std::string_view text, Append append) {
    while (!text.empty()) {
        const std::size_t length = sequence_length(text);
        const std::string_view sequence = text.substr(0, length == 0 ? 1 : length);
        append(length == 0 || forbidden(sequence) ? replacement : sequence);
        text.remove_prefix(sequence.size());
    }
}

std::string_view entity(char c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        default:
            return "";
    }
}

}  // namespace

std::string figure(double value, int digits) {
    if (!std::isfinite(value)) return "-";
    if (value == 0) return "0";
    const auto magnitude = [](double of) {
        return static_cast<int>(std::floor(std::log10(std::abs(of))));
    };
    const double unit = std::pow(10.0, magnitude(value) - digits + 1);
    const double rounded =
        std::round(value / unit) * unit;  // 9.996 has become 10.0, a digit longer
    return fixed(value, std::max(0, digits - 1 - magnitude(rounded)));
}

std::string size_text(std::uint64_t bytes) {
    constexpr std::array units{" B", " KiB", " MiB", " GiB", " TiB"};
    std::size_t unit = 0;
    while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < units.size()) {
        bytes /= 1024;
        ++unit;
    }
    return std::to_string(bytes) + units[unit];
}

std::string time_text(double us) {
    if (!std::isfinite(us)) return "-";
    if (us < 999.5) return figure(us, 3) + " us";
    if (us < 999'500) return figure(us / 1e3, 3) + " ms";
    return figure(us / 1e6, 3) + " s";
}

std::string bandwidth_text(double GBps) {
    if (!std::isfinite(GBps)) return "-";
    if (GBps == 0 || GBps >= 0.9995) return figure(GBps, 3) + " GB/s";
    if (GBps >= 0.9995e-3) return figure(GBps * 1e3, 3) + " MB/s";
    return figure(GBps * 1e6, 3) + " kB/s";
}

std::string percent_text(double share, int decimals) {
    return std::isfinite(share) ? fixed(share * 100, decimals) + " %" : "-";
}

std::string signed_percent_text(double share, int decimals) {
    std::string text = percent_text(share, decimals);
    if (!std::isfinite(share)) return text;
    if (text.find_first_of("123456789") == std::string::npos)
        return text[0] == '-' ? text.substr(1) : text;
    return share > 0 ? "+" + text : text;
}

std::string count_text(std::int64_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string p_text(double p) { return p < 0.0001 ? "< 0.0001" : fixed(p, 4); }

std::string utc_text(double unix_s) {
    constexpr double year_10000 = 253402300800;
    const double seconds = unix_s > 0 ? std::min(unix_s, year_10000 - 1) : 0;
    return format_time(Time(Duration(static_cast<std::int64_t>(seconds * 1e6))));
}

std::string escape_markup(std::string_view text) {
    std::string out;
    for_each_character(text, [&](std::string_view sequence) {
        const std::string_view named = sequence.size() == 1 ? entity(sequence[0]) : "";
        out += named.empty() ? sequence : named;
    });
    return out;
}

std::string printable(std::string_view text) {
    std::string out;
    for_each_character(text, [&](std::string_view sequence) {
        const bool space = sequence == "\n" || sequence == "\r" || sequence == "\t";
        out += space ? " " : sequence;
    });
    return out;
}

std::string csv_field(std::string_view text) {
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
}

std::size_t text_width(std::string_view text) {
    std::size_t width = 0;
    for (const char c : text) width += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    return width;
}

}  // namespace shed::measure
