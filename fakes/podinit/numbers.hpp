#pragma once
// The numbers of commands and SPECs (protocol.hpp): digits and nothing else. What atol() would make of
// `root`, of nothing or of -1 is an id that nobody asked for.
#include <climits>
#include <string>
#include <string_view>

namespace shed::podinit {

inline constexpr unsigned long id_max = 0xffff'fffeUL;  // (uid_t)-1 means "leave it" to chown and setresuid
inline constexpr unsigned long mode_max = 07777;
inline constexpr unsigned long signal_max = 64;
inline constexpr unsigned long port_max = 65'535;

// Reads `text`, of digits of `base`, into `value`. Else `error`, unless one is set already, names the field and the text.
bool parse_number(std::string_view field, std::string_view text, unsigned long max, unsigned long& value,
                  std::string& error, int base = 10);

// The same for any integer type; `value` is left alone on failure.
template <class T>
bool take_number(std::string_view field, std::string_view text, unsigned long max, T& value, std::string& error,
                 int base = 10) {
    unsigned long number = 0;
    if (!parse_number(field, text, max, number, error, base)) return false;
    value = static_cast<T>(number);
    return true;
}

}  // namespace shed::podinit
