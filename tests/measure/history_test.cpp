#include "simulator/measure/history.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shed::measure {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

HistoryEntry entry(double unix_s, double us, const std::string& machine = "m") {
    return {unix_s,
            "0.1.0",
            machine,
            "ranks=4",
            Verdict::ok,
            {{1024, us, us / 2, 0.5, Verdict::ok}, {65536, 10 * us, 0, 0, Verdict::too_noisy}}};
}

TEST(History, LinesAreReadAsTheyWereWritten) {
    const std::string text = history_line(entry(1, 10.125)) + "\n" + history_line(entry(2, 11));
    const auto entries = load_history(text, "history.jsonl");
    ASSERT_TRUE(entries) << entries.error().message;
    ASSERT_EQ(entries->size(), 2u);
    EXPECT_EQ(history_line((*entries)[0]) + "\n" + history_line((*entries)[1]), text);
    EXPECT_DOUBLE_EQ((*entries)[0].rows[0].bare_p50_us, 5.0625);
    EXPECT_DOUBLE_EQ((*entries)[0].rows[1].ratio, 0);
    EXPECT_EQ((*entries)[0].rows[1].verdict, Verdict::too_noisy);
}

TEST(History, ABadLineIsNamed) {
    const std::string good = history_line(entry(1, 10));
    const auto error = [&](std::string line) {
        const auto entries = load_history(good + line + "\n" + good, "history.jsonl");
        return entries ? "read" : entries.error().message;
    };
    EXPECT_THAT(error("{\"schema\":"), HasSubstr("history.jsonl:2: not JSON"));
    EXPECT_THAT(error("{}"), HasSubstr("history.jsonl:2: \"schema\" is missing"));
    EXPECT_THAT(error(R"({"schema":"trainshed.bench.history/v2"})"),
                HasSubstr("history.jsonl:2: schema"));
    std::string zero = history_line(entry(1, 0));
    EXPECT_THAT(error(zero.substr(0, zero.size() - 1)), HasSubstr("must be above 0"));
    EXPECT_THAT(error(good.substr(0, good.size() / 2)), HasSubstr("history.jsonl:2: "));
    EXPECT_EQ(error(" \r"), "read");
}

TEST(History, SelectsByMachineAndConfigurationInTime) {
    HistoryEntry other = entry(2, 5);
    other.configuration = "ranks=8";
    const auto chosen =
        select({entry(3, 10), entry(1, 11), entry(2, 12, "other"), other}, "m", "ranks=4");
    ASSERT_EQ(chosen.size(), 2u);
    EXPECT_EQ(chosen[0].unix_s, 1);
    EXPECT_EQ(chosen[1].unix_s, 3);
}

TEST(TrendTest, TellsSlopeAndHowOddTheLastIs) {
    std::vector<HistoryEntry> entries;
    for (int i = 0; i < 7; ++i) entries.push_back(entry(i, 100 + (i % 2)));
    entries.push_back(entry(7, 130));
    const Trend odd = trend(entries, 1024);
    EXPECT_EQ(odd.points.size(), 8u);
    EXPECT_EQ(odd.points[7].flow_p50_us, 130);
    EXPECT_EQ(odd.last_deviations, 0)
        << "the median of 100 and 101 is 100, as are most: no deviation to measure by";
    entries[2].rows[0].flow_p50_us = 99;
    EXPECT_GT(trend(entries, 1024).last_deviations, 10);
    std::vector<HistoryEntry> rising;
    for (int i = 0; i < 9; ++i) rising.push_back(entry(i, 100 + i));
    EXPECT_NEAR(trend(rising, 65536).slope_per_entry, 1 / 104.0, 1e-12);
    EXPECT_THAT(trend(rising, 7).points, IsEmpty());
    EXPECT_EQ(trend({entry(1, 1)}, 1024).slope_per_entry, 0);
}

TEST(History, AnEntryHoldsWhatTheResultSays) {
    BenchResult result;
    result.unix_s = 5;
    result.version = "0.1.0";
    result.verdict = Verdict::improvement;
    result.rows.resize(1);
    result.rows[0].bytes = 4;
    result.rows[0].flow.p50_us = 9;
    const HistoryEntry made = history_entry(result);
    EXPECT_EQ(made.fingerprint, fingerprint(result.machine));
    EXPECT_EQ(made.configuration, configuration_key(result.configuration));
    EXPECT_EQ(made.rows.at(0).flow_p50_us, 9);
    EXPECT_EQ(made.rows.at(0).bare_p50_us, 0);
    EXPECT_EQ(load_history(history_line(made), "h")->at(0).verdict, Verdict::improvement);
}

}  // namespace
}  // namespace shed::measure
