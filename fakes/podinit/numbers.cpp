#include "fakes/podinit/numbers.hpp"

#include <charconv>

namespace shed::podinit {

bool parse_number(std::string_view field, std::string_view text, unsigned long max, unsigned long& value,
                  std::string& error, int base) {
    const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    // from_chars takes no sign for an unsigned number, no space and no prefix.
    if (trouble == std::errc() && end == text.data() + text.size() && value <= max) return true;
    if (error.empty())
        error = "bad " + std::string(field) + " \"" + std::string(text) + "\": want " +
                (base == 8 ? "an octal" : "a decimal") + " number from 0 to " +
                (base == 8 ? "7777" : std::to_string(max));
    return false;
}

}  // namespace shed::podinit
