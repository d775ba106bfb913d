// Inputs whose all-reduce is known exactly whatever the order of summation, and the check of every
// element of a result; as nccl-tests' verifiable.cu does: small integers, so few that any partial
// sum is exact in the type.
#pragma once

#include "bench/allreduce/dtype.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace allreduce {

struct Problem {
    Dtype dtype = Dtype::float32;
    Op op = Op::sum;
    int ranks = 1;
    std::size_t count = 0;  // elements per rank
    bool in_place = false;

    std::size_t bytes() const { return count * facts(dtype).bytes; }
};

// The integer that rank `rank` puts at element `index` in the pattern numbered `seed`. The
// magnitude is at most exact_max / ranks; where that is below 1 (bfloat16 over more than 256
// ranks), only some ranks bring +-1.
int pattern_value(const Problem& problem, std::uint64_t seed, int rank, std::size_t index);

// The pattern repeats after this many elements. A prime: a chunk that lands in the wrong place
// cannot match.
constexpr std::size_t pattern_period = 16381;

// Fills `to` (problem.bytes()) with a rank's input.
void fill_input(const Problem& problem, std::uint64_t seed, int rank, std::byte* to);

// Fills `to` with bits that no right result has, so that a result never written shows.
void poison(const Problem& problem, std::byte* to);

// How many elements of `result` differ from the all-reduce of pattern `seed` over all ranks. Bit
// for bit, but where `inexact_average` allows that each rank's share was divided first (NCCL's
// ncclAvg): then within ranks + 2 roundings.
std::size_t count_wrong(const Problem& problem, std::uint64_t seed, const std::byte* result,
                        bool inexact_average = false);

}  // namespace allreduce
