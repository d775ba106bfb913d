#include "bench/allreduce/pattern.hpp"

#include "bench/allreduce/reduce.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace allreduce {

namespace {

// The finaliser of splitmix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated
// outputs.
std::uint64_t mixed(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

int magnitude(const Problem& problem) {
    return static_cast<int>(std::clamp(facts(problem.dtype).exact_max / problem.ranks, 1.0, 127.0));
}

// Of so many ranks in a row one brings something.
std::uint64_t stride(const Problem& problem) {
    return static_cast<std::uint64_t>(
        std::ceil(std::max(1.0, problem.ranks / facts(problem.dtype).exact_max)));
}

template <class T>
T element_of(std::int64_t value) {
    return store<T>(static_cast<Accumulator<T>>(value));
}

template <class T>
T expected_value(const Problem& problem, std::uint64_t seed, std::size_t index) {
    std::int64_t sum = 0, greatest = std::numeric_limits<std::int64_t>::min();
    for (int rank = 0; rank < problem.ranks; ++rank) {
        const int value = pattern_value(problem, seed, rank, index);
        sum += value;
        greatest = std::max<std::int64_t>(greatest, value);
    }
    if (problem.op == Op::max) return element_of<T>(greatest);
    if (problem.op == Op::sum) return element_of<T>(sum);
    return store<T>(average(static_cast<Accumulator<T>>(sum), problem.ranks));
}

// Copies the first period over the rest.
template <class T>
void repeat(T* to, std::size_t count) {
    for (std::size_t i = pattern_period; i < count; i += pattern_period)
        std::memcpy(to + i, to, std::min(pattern_period, count - i) * sizeof(T));
}

template <class T>
std::vector<T> expected_period(const Problem& problem, std::uint64_t seed) {
    std::vector<T> values(std::min(problem.count, pattern_period));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = expected_value<T>(problem, seed, i);
    return values;
}

template <class T>
double roundings_allowed(const Problem& problem) {
    if constexpr (std::is_same_v<T, std::int32_t>) return 0;
    // Half a unit in the last place of the largest partial sum, for each of the steps.
    return (problem.ranks + 2) * magnitude(problem) / facts(problem.dtype).exact_max;
}

template <class T>
std::size_t count_wrong_as(const Problem& problem, std::uint64_t seed, const std::byte* bytes,
                           bool inexact_average) {
    const std::vector<T> expected = expected_period<T>(problem, seed);
    const bool loose = inexact_average && problem.op == Op::avg;
    const double tolerance = loose ? roundings_allowed<T>(problem) : 0;
    std::size_t wrong = 0;
    for (std::size_t start = 0; start < problem.count; start += pattern_period) {
        const std::size_t length = std::min(pattern_period, problem.count - start);
        const std::byte* part = bytes + start * sizeof(T);
        if (std::memcmp(part, expected.data(), length * sizeof(T)) == 0) continue;
        for (std::size_t i = 0; i < length; ++i) {
            T value;
            std::memcpy(&value, part + i * sizeof(T), sizeof(T));
            if (std::memcmp(&value, &expected[i], sizeof(T)) == 0) continue;
            // Written so that a NaN is wrong.
            const double off =
                std::abs(static_cast<double>(load(value)) - static_cast<double>(load(expected[i])));
            if (!loose || !(off <= tolerance)) ++wrong;
        }
    }
    return wrong;
}

}  // namespace

int pattern_value(const Problem& problem, std::uint64_t seed, int rank, std::size_t index) {
    const std::size_t place = index % pattern_period;
    const std::uint64_t every = stride(problem);
    if ((static_cast<std::uint64_t>(rank) + place) % every != 0) return 0;
    const int most = magnitude(problem);
    const std::uint64_t random =
        mixed(mixed(seed * 0x10001 + static_cast<std::uint64_t>(rank)) + place);
    return static_cast<int>(random % static_cast<std::uint64_t>(2 * most + 1)) - most;
}

void fill_input(const Problem& problem, std::uint64_t seed, int rank, std::byte* to) {
    with_type(problem.dtype, [&](auto type) {
        using T = decltype(type);
        T* elements = reinterpret_cast<T*>(to);
        for (std::size_t i = 0; i < std::min(problem.count, pattern_period); ++i)
            elements[i] = element_of<T>(pattern_value(problem, seed, rank, i));
        repeat(elements, problem.count);
    });
}

void poison(const Problem& problem, std::byte* to) {
    // All ones: a NaN in every floating-point type. As int32 it is -1, which a result may have:
    // 0xfe repeated is not.
    const int byte = problem.dtype == Dtype::int32 ? 0xfe : 0xff;
    std::memset(to, byte, problem.bytes());
}

std::size_t count_wrong(const Problem& problem, std::uint64_t seed, const std::byte* result,
                        bool inexact_average) {
    return with_type(problem.dtype, [&](auto type) {
        return count_wrong_as<decltype(type)>(problem, seed, result, inexact_average);
    });
}

}  // namespace allreduce
