#include "bench/allreduce/units.hpp"

#include <charconv>
#include <limits>

namespace allreduce {

namespace {

constexpr std::string_view suffixes = "KMG";
constexpr std::uint64_t largest = std::numeric_limits<std::int64_t>::max();

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || value == 0 || value > largest) return std::nullopt;
    const std::string_view suffix(end, text.data() + text.size() - end);
    if (suffix.empty()) return value;
    const auto power = suffixes.find(static_cast<char>(suffix[0] & ~0x20));  // upper case
    if (suffix.size() > 1 || power == std::string_view::npos) return std::nullopt;
    const auto shift = 10 * (power + 1);
    if (value > largest >> shift) return std::nullopt;
    return value << shift;
}

std::string size_text(std::uint64_t bytes) {
    std::string suffix;
    for (std::size_t power = 0; power < suffixes.size(); ++power) {
        if (bytes == 0 || bytes % 1024 != 0) break;
        bytes /= 1024;
        suffix = suffixes[power];
    }
    return std::to_string(bytes) + suffix;
}

std::vector<std::uint64_t> sweep(std::uint64_t min, std::uint64_t max, std::uint64_t factor,
                                 std::uint64_t step) {
    std::vector<std::uint64_t> sizes;
    for (std::uint64_t size = min; size <= max;) {
        sizes.push_back(size);
        if (step > 0) {
            if (size > largest - step) break;
            size += step;
        } else {
            if (size > largest / factor) break;
            size *= factor;
        }
    }
    return sizes;
}

}  // namespace allreduce
