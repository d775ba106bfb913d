// Arithmetic on one element, for the host and for CUDA: 16-bit floats are bits in memory and float
// in sums.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#ifdef __CUDACC__
#define ALLREDUCE_BOTH __host__ __device__
#else
#define ALLREDUCE_BOTH
#endif

namespace allreduce {

struct Half {
    std::uint16_t bits;
};
struct Bfloat16 {
    std::uint16_t bits;
};

ALLREDUCE_BOTH inline float float_of_bits(std::uint32_t bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

ALLREDUCE_BOTH inline std::uint32_t bits_of_float(float value) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
}

ALLREDUCE_BOTH inline float to_float(Bfloat16 x) {
    return float_of_bits(static_cast<std::uint32_t>(x.bits) << 16);
}

// To nearest, ties to even; a NaN stays one.
ALLREDUCE_BOTH inline Bfloat16 to_bfloat16(float value) {
    const std::uint32_t bits = bits_of_float(value);
    if ((bits & 0x7fffffffu) > 0x7f800000u)
        return {static_cast<std::uint16_t>((bits >> 16) | 0x40u)};
    return {static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16)};
}

ALLREDUCE_BOTH inline float to_float(Half x) {
    const std::uint32_t sign = (x.bits & 0x8000u) << 16, rest = x.bits & 0x7fffu;
    if (rest >= 0x7c00u) return float_of_bits(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    if (rest >= 0x400u) return float_of_bits(sign | (rest + (112u << 10)) << 13);
    // Subnormal, in steps of 2^-24.
    return float_of_bits(sign | bits_of_float(static_cast<float>(rest) * 5.9604644775390625e-8f));
}

// To nearest, ties to even; past 65504 infinity; a NaN stays one.
ALLREDUCE_BOTH inline Half to_half(float value) {
    const std::uint32_t bits = bits_of_float(value), sign = (bits >> 16) & 0x8000u;
    const std::uint32_t rest = bits & 0x7fffffffu;
    const auto half = [&](std::uint32_t magnitude) {
        return Half{static_cast<std::uint16_t>(sign | magnitude)};
    };
    if (rest > 0x7f800000u) return half(0x7e00u);
    if (rest >= 0x477ff000u) return half(0x7c00u);
    // Adding 0.5 lines a subnormal's last place up with float's last place, which rounds.
    if (rest < 0x38800000u) return half(bits_of_float(float_of_bits(rest) + 0.5f) - 0x3f000000u);
    return half((rest - (112u << 23) + 0xfffu + ((rest >> 13) & 1u)) >> 13);
}

// What sums of T are kept in.
template <class T>
using Accumulator =
    std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, Bfloat16>, float, T>;

template <class T>
ALLREDUCE_BOTH inline Accumulator<T> load(T x) {
    if constexpr (std::is_arithmetic_v<T>) return x;
    else return to_float(x);
}

template <class T>
ALLREDUCE_BOTH inline T store(Accumulator<T> x) {
    if constexpr (std::is_same_v<T, Half>) return to_half(x);
    else if constexpr (std::is_same_v<T, Bfloat16>) return to_bfloat16(x);
    else return x;
}

struct Sum {
    template <class A>
    ALLREDUCE_BOTH static A combine(A a, A b) {
        // Repeated in-place sums overflow, and signed overflow is undefined: as unsigned it wraps.
        if constexpr (std::is_integral_v<A>)
            return static_cast<A>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
        else return a + b;
    }
};

struct Max {
    template <class A>
    ALLREDUCE_BOTH static A combine(A a, A b) {
        return a < b ? b : a;
    }
};

// An average is the sum divided once at the end; integers round to zero, as NCCL's ncclAvg does.
template <class A>
ALLREDUCE_BOTH inline A average(A sum, int ranks) {
    return sum / static_cast<A>(ranks);
}

}  // namespace allreduce
