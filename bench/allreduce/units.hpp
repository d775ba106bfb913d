// Sizes in bytes as a person writes them: "8", "64K", "1M", "2G" (powers of 1024, as nccl-tests and
// OSU read them).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace allreduce {

// Nothing when `text` is no positive size, or one past 2^63.
std::optional<std::uint64_t> parse_size(std::string_view text);

// The shortest exact form: 1048576 -> "1M", 1000 -> "1000".
std::string size_text(std::uint64_t bytes);

// From `min` to `max`: each is the one before times `factor`, or plus `step` where that is not 0
// (nccl-tests' -f and -i).
std::vector<std::uint64_t> sweep(std::uint64_t min, std::uint64_t max, std::uint64_t factor,
                                 std::uint64_t step);

}  // namespace allreduce
