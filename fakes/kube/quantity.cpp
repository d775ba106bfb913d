// Quantities: a decimal number and a suffix (k8s.io/apimachinery/pkg/api/resource/suffix.go).
#include "fakes/kube/kube.hpp"

#include <cctype>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

struct Suffix {
    std::string_view text;
    int power;     // of ten, or of two when binary
    bool binary;
};
constexpr Suffix suffixes[] = {
    {"n", -9, false}, {"u", -6, false}, {"m", -3, false}, {"", 0, false},   {"k", 3, false},
    {"M", 6, false},  {"G", 9, false},  {"T", 12, false}, {"P", 15, false}, {"E", 18, false},
    {"Ki", 10, true}, {"Mi", 20, true}, {"Gi", 30, true}, {"Ti", 40, true}, {"Pi", 50, true},
    {"Ei", 60, true},
};

constexpr int digits_max = 18;  // of the mantissa: keeps every product inside 128 bits

bool scale(std::string_view text, int& power, bool& binary) {
    for (const Suffix& s : suffixes) {
        if (s.text != text) continue;
        power = s.power;
        binary = s.binary;
        return true;
    }
    if (text.size() < 2 || (text[0] != 'e' && text[0] != 'E')) return false;
    std::size_t at = 1;
    const bool negative = text[at] == '-';
    if (text[at] == '-' || text[at] == '+') ++at;
    if (at == text.size() || text.size() - at > 2) return false;
    int value = 0;
    for (; at < text.size(); ++at) {
        if (std::isdigit(static_cast<unsigned char>(text[at])) == 0) return false;
        value = value * 10 + (text[at] - '0');
    }
    power = negative ? -value : value;
    binary = false;
    return power >= -18 && power <= 18;
}

// Multiplies by ten to the power, rounding away from zero as the real server does below its precision.
Int128 times_power_of_ten(Int128 value, int power) {
    for (; power > 0; --power) value *= 10;
    if (power == 0) return value;
    Int128 divisor = 1;
    for (; power < 0; ++power) divisor *= 10;
    const Int128 quotient = value / divisor;
    if (value % divisor == 0) return quotient;
    return value > 0 ? quotient + 1 : quotient - 1;
}

std::string decimal_text(Int128 value) {
    if (value == 0) return "0";
    std::string text;
    const bool negative = value < 0;
    for (Int128 rest = negative ? -value : value; rest > 0; rest /= 10)
        text.insert(text.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    return negative ? "-" + text : text;
}

}  // namespace

std::optional<Quantity> Quantity::parse(std::string_view text) {
    std::size_t at = 0;
    const bool negative = !text.empty() && text[0] == '-';
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) ++at;
    Int128 mantissa = 0;
    int fraction_digits = 0, digits = 0;
    bool seen_dot = false;
    for (; at < text.size(); ++at) {
        if (text[at] == '.' && !seen_dot) {
            seen_dot = true;
            continue;
        }
        if (std::isdigit(static_cast<unsigned char>(text[at])) == 0) break;
        if (digits == digits_max) return std::nullopt;
        if (mantissa != 0 || text[at] != '0') ++digits;
        mantissa = mantissa * 10 + (text[at] - '0');
        if (seen_dot && ++fraction_digits > digits_max) return std::nullopt;
    }
    if (at == 0 || (digits == 0 && text.find('0') == std::string_view::npos)) return std::nullopt;
    int power = 0;
    bool binary = false;
    if (!scale(text.substr(at), power, binary)) return std::nullopt;
    Int128 milli = binary ? times_power_of_ten((mantissa << power), 3 - fraction_digits)
                            : times_power_of_ten(mantissa, power + 3 - fraction_digits);
    return Quantity(negative ? -milli : milli);
}

std::optional<Quantity> Quantity::from_json(const Json& value) {
    if (value.is_string()) return parse(value.get_ref<const std::string&>());
    if (value.is_number()) return parse(value.dump());
    return std::nullopt;
}

std::int64_t Quantity::value() const {
    const Int128 whole = milli_ / 1000;
    return static_cast<std::int64_t>(milli_ % 1000 > 0 ? whole + 1 : whole);
}

std::string Quantity::canonical(std::string_view original) const {
    if (original.ends_with('i')) {
        Int128 units = milli_ / 1000;
        if (milli_ % 1000 != 0) return decimal_text(milli_) + "m";
        int step = 0;
        for (; step < 6 && units != 0 && units % 1024 == 0; ++step) units /= 1024;
        static constexpr std::string_view names[] = {"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
        return decimal_text(units) + std::string(names[step]);
    }
    Int128 value = milli_;
    int step = 0;
    for (; step < 7 && value != 0 && value % 1000 == 0; ++step) value /= 1000;
    static constexpr std::string_view names[] = {"m", "", "k", "M", "G", "T", "P", "E"};
    if (value == 0) return "0";
    return decimal_text(value) + std::string(names[step]);
}

}  // namespace shed
