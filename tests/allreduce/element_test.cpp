#include "bench/allreduce/reduce.hpp"

#include <gtest/gtest.h>
#include <cmath>
#include <limits>

namespace allreduce {
namespace {

TEST(Half, EveryValueSurvivesTheWayThroughFloat) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const Half half = {static_cast<std::uint16_t>(bits)};
        const float value = to_float(half);
        if (std::isnan(value)) EXPECT_TRUE(std::isnan(to_float(to_half(value)))) << bits;
        else EXPECT_EQ(to_half(value).bits, bits);
    }
}

// IEEE 754 binary16: 10 bits of fraction, bias 15.
TEST(Half, MeansWhatTheStandardSays) {
    EXPECT_EQ(to_float(Half{0x3c00}), 1.0f);
    EXPECT_EQ(to_float(Half{0xc000}), -2.0f);
    EXPECT_EQ(to_float(Half{0x7bff}), 65504.0f);
    EXPECT_EQ(to_float(Half{0x0001}), std::ldexp(1.0f, -24));
    EXPECT_EQ(to_float(Half{0xfc00}), -std::numeric_limits<float>::infinity());
}

TEST(Half, RoundsToNearestAndTiesToEven) {
    EXPECT_EQ(to_float(to_half(2049.0f)), 2048.0f);
    EXPECT_EQ(to_float(to_half(2051.0f)), 2052.0f);
    EXPECT_EQ(to_float(to_half(2049.5f)), 2050.0f);
    EXPECT_EQ(to_float(to_half(65519.0f)), 65504.0f);
    EXPECT_TRUE(std::isinf(to_float(to_half(65520.0f))));
    EXPECT_EQ(to_half(std::ldexp(1.0f, -25)).bits, 0);
    EXPECT_EQ(to_half(std::ldexp(1.5f, -25)).bits, 1);
    EXPECT_EQ(to_half(std::ldexp(1.5f, -24)).bits, 2);
}

TEST(Bfloat16, EveryValueSurvivesTheWayThroughFloat) {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const Bfloat16 small = {static_cast<std::uint16_t>(bits)};
        const float value = to_float(small);
        if (std::isnan(value)) EXPECT_TRUE(std::isnan(to_float(to_bfloat16(value)))) << bits;
        else EXPECT_EQ(to_bfloat16(value).bits, bits);
    }
}

TEST(Bfloat16, RoundsToNearestAndTiesToEven) {
    EXPECT_EQ(to_float(to_bfloat16(257.0f)), 256.0f);
    EXPECT_EQ(to_float(to_bfloat16(259.0f)), 260.0f);
    EXPECT_EQ(to_float(to_bfloat16(257.5f)), 258.0f);
    EXPECT_TRUE(std::isinf(to_float(to_bfloat16(std::numeric_limits<float>::max()))));
}

TEST(Reduce, CombinesElementByElement) {
    float sums[] = {1, 2, 3};
    const float more[] = {10, -20, 0.5};
    combine_into<Sum>(sums, more, 3);
    EXPECT_EQ(sums[0], 11);
    EXPECT_EQ(sums[1], -18);
    EXPECT_EQ(sums[2], 3.5);
    Half greatest[] = {to_half(1), to_half(-2)};
    const Half others[] = {to_half(0.5), to_half(-1)};
    combine_into<Max>(greatest, others, 2);
    EXPECT_EQ(to_float(greatest[0]), 1);
    EXPECT_EQ(to_float(greatest[1]), -1);
}

TEST(Reduce, IntegersWrapAndAveragesOfThemRoundToZero) {
    std::int32_t sum[] = {std::numeric_limits<std::int32_t>::max()};
    const std::int32_t one[] = {1};
    combine_into<Sum>(sum, one, 1);
    EXPECT_EQ(sum[0], std::numeric_limits<std::int32_t>::min());
    std::int32_t averages[] = {7, -7};
    average_all(averages, 2, 2);
    EXPECT_EQ(averages[0], 3);
    EXPECT_EQ(averages[1], -3);
}

}  // namespace
}  // namespace allreduce
