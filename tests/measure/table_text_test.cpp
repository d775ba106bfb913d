#include "simulator/measure/table_text.hpp"

#include "simulator/measure/paired.hpp"
#include "simulator/measure/text.hpp"
#include "tests/measure/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

namespace shed::measure {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

BenchResult sample(bool bare) {
    const std::vector<std::uint64_t> sizes{4, 65536, 67108864};
    std::vector<Pair> pairs;
    std::vector<measure::Run> flows;
    for (int i = 0; i < 9; ++i) {
        const auto time = [i](std::uint64_t bytes) {
            return 48 + 0.1 * i + static_cast<double>(bytes) / 600;
        };
        pairs.push_back(
            {samples::run(sizes, time), samples::run(sizes, [&](auto b) { return time(b) / 2; })});
        flows.push_back(pairs.back().flow);
    }
    pairs[0].flow.rows[0].other_cpu_share = 0.9;
    return bare ? *summarise(pairs, {}) : *summarise(flows, {});
}

std::size_t widest(const std::string& text) {
    std::istringstream lines(text);
    std::size_t most = 0;
    for (std::string line; std::getline(lines, line);) most = std::max(most, text_width(line));
    return most;
}

TEST(TableText, ReadsAsOneLinePerSize) {
    const std::string text = table_text(sample(true));
    EXPECT_EQ(text.substr(0, text.find("\n64 MiB")),
              "allreduce, 4 ranks on 2 hosts, 2 cores, float32 sum, tcp, Open MPI v4.1.4, raw\n"
              "  size  runs     flow       MAD     bare  bare/flow         95 %     busbw  wrong  "
              "verdict\n"
              "   4 B   8/9  48.5 us  0.200 us  24.2 us      0.500  0.500-0.500  124 kB/s      0  "
              "too-noisy\n"
              "64 KiB   9/9   158 us  0.200 us  78.8 us      0.500  0.500-0.500  624 MB/s      0  "
              "regression");
    EXPECT_THAT(text,
                HasSubstr("\nverdict: regression\n  64 KiB: 78.8 us -> 158 us, +100.0 % slower"));
    EXPECT_THAT(text,
                HasSubstr("\nnote: 4 B is too noisy: 8 usable runs of each side, at least 9 are "
                          "needed: 1 is left out (90.0 % of\n"
                          "      the processors used by others)\nnote: 4 ranks share 2 cores\n"));
    EXPECT_LE(widest(text), 100u);
}

TEST(TableText, WithoutBareThereIsNoRatio) {
    const std::string text = table_text(sample(false));
    EXPECT_THAT(text, Not(HasSubstr("bare")));
    EXPECT_LE(widest(text), 100u);
}

TEST(TableText, LongTextIsWrappedAndHarmless) {
    BenchResult result = sample(true);
    result.notes = {"a note of many words " + std::string(60, 'x') +
                    " that goes on and on \x1b[31m and on"};
    const std::string text = table_text(result);
    EXPECT_LE(widest(text), 100u);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
    EXPECT_THAT(text, HasSubstr("\n      and on"));
}

TEST(TableText, ComparisonsHaveBothTimes) {
    const auto comparison = compare(sample(true), sample(true), CompareOptions());
    ASSERT_TRUE(comparison);
    const std::string text = table_text(*comparison);
    EXPECT_THAT(text, StartsWith("name"));
    EXPECT_THAT(text, HasSubstr("64 KiB  "));
    EXPECT_THAT(text, HasSubstr("too-noisy"));
    EXPECT_THAT(text, HasSubstr("verdict: too-noisy"));
    EXPECT_LE(widest(text), 100u);
}

TEST(TableText, NothingMeasuredIsStillText) {
    EXPECT_THAT(table_text(BenchResult()), HasSubstr("verdict: ok"));
}

}  // namespace
}  // namespace shed::measure
