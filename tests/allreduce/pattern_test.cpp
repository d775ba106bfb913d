#include "bench/allreduce/pattern.hpp"

#include "bench/allreduce/reduce.hpp"

#include <gtest/gtest.h>
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace allreduce {
namespace {

constexpr Dtype dtypes[] = {Dtype::float32, Dtype::float16, Dtype::bfloat16, Dtype::float64,
                            Dtype::int32};
constexpr Op ops[] = {Op::sum, Op::max, Op::avg};

using Bytes = std::vector<std::byte>;

Bytes input(const Problem& problem, std::uint64_t seed, int rank) {
    Bytes bytes(problem.bytes());
    fill_input(problem, seed, rank, bytes.data());
    return bytes;
}

// Ranks in the order given, as an algorithm might take them.
Bytes reduced(const Problem& problem, std::uint64_t seed, const std::vector<int>& order) {
    Bytes result = input(problem, seed, order.front());
    with_type(problem.dtype, [&](auto type) {
        using T = decltype(type);
        T* to = reinterpret_cast<T*>(result.data());
        for (std::size_t i = 1; i < order.size(); ++i) {
            const Bytes more = input(problem, seed, order[i]);
            const T* from = reinterpret_cast<const T*>(more.data());
            if (problem.op == Op::max) combine_into<Max>(to, from, problem.count);
            else combine_into<Sum>(to, from, problem.count);
        }
        if (problem.op == Op::avg) average_all(to, problem.count, problem.ranks);
    });
    return result;
}

std::vector<int> in_order(int ranks) {
    std::vector<int> order(static_cast<std::size_t>(ranks));
    std::iota(order.begin(), order.end(), 0);
    return order;
}

std::string described(const Problem& problem) {
    return std::string(facts(problem.dtype).name) + " " + std::string(name(problem.op)) + " over " +
           std::to_string(problem.ranks);
}

TEST(Pattern, IsExactInEveryTypeAndOrder) {
    for (const int ranks : {1, 2, 3, 8, 300, 5000}) {
        for (const Dtype dtype : dtypes) {
            for (const Op op : ops) {
                const Problem problem = {dtype, op, ranks, 50, false};
                std::vector<int> order = in_order(ranks);
                EXPECT_EQ(count_wrong(problem, 7, reduced(problem, 7, order).data()), 0u)
                    << described(problem);
                std::reverse(order.begin(), order.end());
                EXPECT_EQ(count_wrong(problem, 7, reduced(problem, 7, order).data()), 0u)
                    << described(problem);
            }
        }
    }
}

TEST(Pattern, FindsOneWrongElementAnywhere) {
    const Problem problem = {Dtype::float32, Op::sum, 3, 3 * pattern_period + 5, false};
    const Bytes right = reduced(problem, 1, in_order(3));
    for (const std::size_t place :
         {std::size_t{0}, pattern_period - 1, pattern_period, problem.count - 1}) {
        Bytes wrong = right;
        wrong[place * 4] ^= std::byte{1};  // the last bit of the significand
        EXPECT_EQ(count_wrong(problem, 1, wrong.data()), 1u) << place;
    }
}

TEST(Pattern, FindsWhatReducedNothing) {
    for (const Dtype dtype : dtypes) {
        for (const Op op : ops) {
            const Problem problem = {dtype, op, 4, 1000, false};
            const Bytes stale = reduced(problem, 1, in_order(4));
            // The input left in place, the result of another input, and memory never written.
            EXPECT_GT(count_wrong(problem, 2, input(problem, 2, 0).data()), 500u)
                << described(problem);
            EXPECT_GT(count_wrong(problem, 2, stale.data()), 500u) << described(problem);
            Bytes spoilt(problem.bytes());
            poison(problem, spoilt.data());
            EXPECT_EQ(count_wrong(problem, 2, spoilt.data()), 1000u) << described(problem);
        }
    }
}

TEST(Pattern, FindsAMissingRankAndShiftedChunks) {
    const Problem problem = {Dtype::bfloat16, Op::sum, 4, 100'000, false};
    EXPECT_GT(count_wrong(problem, 1, reduced(problem, 1, {0, 1, 2}).data()), 90'000u);
    EXPECT_GT(count_wrong(problem, 1, reduced(problem, 1, {0, 1, 2, 2}).data()), 90'000u);
    Bytes shifted = reduced(problem, 1, in_order(4));
    std::rotate(shifted.begin(), shifted.begin() + 65536, shifted.end());
    EXPECT_GT(count_wrong(problem, 1, shifted.data()), 90'000u);
}

TEST(Pattern, AllowsRoundingsOnlyOfAnInexactAverage) {
    const Problem problem = {Dtype::float32, Op::avg, 3, 1, false};
    Bytes result = reduced(problem, 1, in_order(3));
    float value;
    std::memcpy(&value, result.data(), sizeof value);
    const float close = std::nextafter(value, 1000.0f), off = value + 0.25f;
    std::memcpy(result.data(), &close, sizeof close);
    EXPECT_EQ(count_wrong(problem, 1, result.data()), 1u);
    EXPECT_EQ(count_wrong(problem, 1, result.data(), true), 0u);
    std::memcpy(result.data(), &off, sizeof off);
    EXPECT_EQ(count_wrong(problem, 1, result.data(), true), 1u);
}

}  // namespace
}  // namespace allreduce
