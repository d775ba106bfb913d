#include "bench/allreduce/options.hpp"
#include "bench/allreduce/units.hpp"

#include <gmock/gmock.h>
#include <limits>

namespace allreduce {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

std::variant<Options, Ending> parse(std::vector<const char*> words) {
    words.insert(words.begin(), "allreduce");
    return parse_options(static_cast<int>(words.size()), words.data());
}

Options parsed(const std::vector<const char*>& words) {
    auto result = parse(words);
    if (const auto* ending = std::get_if<Ending>(&result)) ADD_FAILURE() << ending->text;
    return std::get<Options>(result);
}

struct Mistake {
    const char* test;
    std::vector<const char*> words;
    const char* message;
};

class OptionMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(OptionMistakes, AreUsageAndNameTheOption) {
    const auto result = parse(GetParam().words);
    ASSERT_TRUE(std::holds_alternative<Ending>(result));
    EXPECT_EQ(std::get<Ending>(result).code, 2);
    EXPECT_THAT(std::get<Ending>(result).text, HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, OptionMistakes,
    testing::Values(
        Mistake{"Size", {"--max", "12Q"}, "--max: '12Q' is not a size"},
        Mistake{"Zero", {"--min", "0"}, "--min: '0' is not a size"},
        Mistake{"Negative", {"--min", "-8"}, "--min: '-8' is not a size"},
        Mistake{"OneOfTheSizes", {"--sizes", "1K,x"}, "--sizes: 'x' is not a size"},
        Mistake{"Backwards", {"--min", "1K", "--max", "8"}, "--max: 8 is less than --min 1K"},
        Mistake{"LessThanAnElement",
                {"--sizes", "4", "--dtype", "float64"},
                "--sizes: 4 is less than one float64 (8 bytes)"},
        Mistake{"MoreThanMpiCounts", {"--sizes", "8G"}, "--sizes: 8G is more than 2147483647"},
        Mistake{"Factor", {"--factor", "1"}, "--factor"},
        Mistake{"Dtype", {"--dtype", "float8"}, "--dtype"},
        Mistake{"Operation", {"--op", "min"}, "--op"},
        Mistake{"Backend", {"--backend", "gloo"}, "--backend"},
        Mistake{"Iterations", {"--iterations", "many"}, "--iterations"},
        Mistake{"Budget", {"--budget", "0"}, "--budget"},
        Mistake{"BothPlaces", {"--in-place", "--out-of-place"}, "--out-of-place"},
        Mistake{"SizesAndMax", {"--sizes", "1K", "--max", "2K"}, "--sizes"},
        Mistake{"Unknown", {"--colour"}, "--colour"}),
    [](const auto& row) { return row.param.test; });

TEST(Options, DefaultToNcclTestsSweepOutOfPlace) {
    const Options options = parsed({});
    EXPECT_EQ(options.sizes.front(), 8u);
    EXPECT_EQ(options.sizes.back(), 64u << 20);
    EXPECT_EQ(options.sizes.size(), 24u);
    EXPECT_FALSE(options.in_place);
    EXPECT_EQ(options.timing, Timing::slowest);
}

TEST(Options, TakeAListOfSizesAndNamesOfAllKinds) {
    const Options options = parsed({"--sizes", "1K,64k,1M", "--dtype", "bfloat16", "--op", "avg",
                                    "--timing", "osu", "--backend", "cuda-ipc", "--in-place"});
    EXPECT_THAT(options.sizes, ElementsAre(1024, 65536, 1048576));
    EXPECT_EQ(options.dtype, Dtype::bfloat16);
    EXPECT_EQ(options.op, Op::avg);
    EXPECT_EQ(options.timing, Timing::osu);
    EXPECT_EQ(options.backend, BackendKind::cuda_ipc);
    EXPECT_TRUE(options.in_place);
}

TEST(Options, RoundSizesDownToWholeElementsWithoutRepeatingOne) {
    EXPECT_THAT(parsed({"--min", "8", "--max", "20", "--step", "3", "--dtype", "float64"}).sizes,
                ElementsAre(8, 16));
    EXPECT_THAT(parsed({"--sizes", "1003"}).sizes, ElementsAre(1000));
}

TEST(Options, HelpIsNoMistake) {
    const auto result = parse({"--help"});
    ASSERT_TRUE(std::holds_alternative<Ending>(result));
    EXPECT_EQ(std::get<Ending>(result).code, 0);
    EXPECT_THAT(std::get<Ending>(result).text, StartsWith("All-reduce between MPI ranks"));
}

TEST(Sizes, AreReadWithPowersOf1024) {
    EXPECT_EQ(parse_size("2G"), std::uint64_t{2} << 30);
    EXPECT_EQ(parse_size("7"), 7u);
    for (const char* wrong : {"", "K", "1.5M", "1KB", "9999999999G", "99999999999999999999", " 1"})
        EXPECT_EQ(parse_size(wrong), std::nullopt) << wrong;
}

TEST(Sizes, AreWrittenAsTheyWereRead) {
    for (const char* text : {"1", "1000", "1K", "1536K", "3M", "2G"})
        EXPECT_EQ(size_text(*parse_size(text)), text);
}

TEST(Sizes, SweepEndsAtTheLargestEvenAtTheEndOfNumbers) {
    EXPECT_THAT(sweep(8, 40, 2, 0), ElementsAre(8, 16, 32));
    EXPECT_THAT(sweep(8, 40, 2, 16), ElementsAre(8, 24, 40));
    const std::uint64_t most = std::numeric_limits<std::int64_t>::max();
    EXPECT_THAT(sweep(most - 1, most, 2, 0), ElementsAre(most - 1));
    EXPECT_THAT(sweep(most - 1, most, 2, 5), ElementsAre(most - 1));
}

}  // namespace
}  // namespace allreduce
