#include "bench/allreduce/dtype.hpp"

#include <array>

namespace allreduce {

namespace {

constexpr std::array<DtypeFacts, 5> dtypes = {{
    {"float32", 4, "float", 16777216.0},
    {"float16", 2, "half", 2048.0},
    {"bfloat16", 2, "bfloat16", 256.0},
    {"float64", 8, "double", 9007199254740992.0},
    {"int32", 4, "int32", 2147483647.0},
}};

constexpr std::array<std::string_view, 3> ops = {"sum", "max", "avg"};

}  // namespace

const DtypeFacts& facts(Dtype dtype) { return dtypes[static_cast<std::size_t>(dtype)]; }

std::optional<Dtype> find_dtype(std::string_view name) {
    for (std::size_t i = 0; i < dtypes.size(); ++i)
        if (dtypes[i].name == name) return static_cast<Dtype>(i);
    return std::nullopt;
}

std::string_view name(Op op) { return ops[static_cast<std::size_t>(op)]; }

std::optional<Op> find_op(std::string_view name) {
    for (std::size_t i = 0; i < ops.size(); ++i)
        if (ops[i] == name) return static_cast<Op>(i);
    return std::nullopt;
}

}  // namespace allreduce
