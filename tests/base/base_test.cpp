#include "fakes/base/rng.hpp"
#include "fakes/base/time.hpp"

#include <gtest/gtest.h>

#include <set>

namespace shed {
namespace {

using namespace std::chrono_literals;

TEST(Time, SurvivesTheRoundTrip) {
    const auto time = parse_time("2026-11-23T06:05:10.123456Z");
    ASSERT_TRUE(time);
    EXPECT_EQ(format_micro_time(*time), "2026-11-23T06:05:10.123456Z");
    EXPECT_EQ(format_time(*time), "2026-11-23T06:05:10Z");
    EXPECT_EQ(format_nano_time(*time), "2026-11-23T06:05:10.123456000Z");
    EXPECT_EQ(parse_time("2026-11-23T08:05:10.123456789+02:00"), time);
}

TEST(Time, RefusesWhatIsNotRfc3339) {
    for (const char* text : {"", "2026-11-23", "2026-13-01T00:00:00Z", "2026-11-23T06:05:10",
                             "2026-11-23T06:05:10Zx", "2026-11-23 06:05:10Z"})
        EXPECT_FALSE(parse_time(text)) << text;
}

TEST(HumanDuration, PrintsAsKubectlDoes) {
    EXPECT_EQ(human_duration(5s), "5s");
    EXPECT_EQ(human_duration(119s), "119s");
    EXPECT_EQ(human_duration(125s), "2m5s");
    EXPECT_EQ(human_duration(11min), "11m");
    EXPECT_EQ(human_duration(3h + 20min), "3h20m");
    EXPECT_EQ(human_duration(30h), "30h");
    EXPECT_EQ(human_duration(51h), "2d3h");
    EXPECT_EQ(human_duration(-5s), "<invalid>");
}

TEST(Rng, RepeatsItselfFromTheSameSeed) {
    Rng a(7), b(7), c(8);
    EXPECT_EQ(a.uuid(), b.uuid());
    EXPECT_EQ(a.suffix(), b.suffix());
    EXPECT_NE(a.next(), c.next());
}

TEST(Rng, MakesVersionFourUuids) {
    Rng rng(1);
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const std::string uuid = rng.uuid();
        ASSERT_EQ(uuid.size(), 36u);
        EXPECT_EQ(uuid[14], '4');
        EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
        EXPECT_TRUE(seen.insert(uuid).second);
    }
}

}  // namespace
}  // namespace shed
