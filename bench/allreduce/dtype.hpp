// What is reduced, and how: element types and operations, by the names that nccl-tests and Python
// give them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace allreduce {

enum class Dtype { float32, float16, bfloat16, float64, int32 };
enum class Op { sum, max, avg };

struct DtypeFacts {
    std::string_view name;
    std::size_t bytes;
    std::string_view short_name;  // nccl-tests' column "type"
    // All integers of at most this magnitude are exact: 2 to the significand's width (IEEE 754;
    // bfloat16: 8 bits).
    double exact_max;
};

const DtypeFacts& facts(Dtype dtype);
std::optional<Dtype> find_dtype(std::string_view name);
std::string_view name(Op op);
std::optional<Op> find_op(std::string_view name);

}  // namespace allreduce
