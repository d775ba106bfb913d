#include "simulator/measure/junit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shed::measure {
namespace {

using testing::HasSubstr;
using testing::Not;

ResultRow row(std::uint64_t bytes, Verdict verdict, std::string reason) {
    ResultRow out;
    out.bytes = bytes;
    out.verdict = verdict;
    out.reason = std::move(reason);
    out.flow.p50_us = 110;
    out.flow.mad_us = 1;
    out.flow.runs.resize(9);
    out.bare = out.flow;
    out.bare->p50_us = 100;
    out.ratio = 0.909;
    out.ratio_interval = {0.9, 0.92};
    return out;
}

TEST(Junit, HasOneCasePerSize) {
    BenchResult result;
    result.rows = {row(4, Verdict::ok, ""), row(1024, Verdict::regression, "100 us -> 110 us"),
                   row(65536, Verdict::too_noisy, "3 usable runs")};
    result.verdict = Verdict::regression;
    const std::string xml = to_junit(result);
    EXPECT_THAT(xml,
                HasSubstr("<testsuites tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
    EXPECT_THAT(xml, HasSubstr("<testcase classname=\"trainshed.bench.allreduce\" name=\"1 KiB\""));
    EXPECT_THAT(
        xml,
        HasSubstr(
            "<failure message=\"100 us -&gt; 110 us\" type=\"regression\">100 us -&gt; 110 us\n"
            "flow: median 110 us, MAD 1.00 us, 9 runs\nbare: median 100 us"));
    EXPECT_THAT(xml, HasSubstr("bare/flow: 0.9090 [0.9000, 0.9200]"));
    EXPECT_THAT(xml, HasSubstr("<skipped message=\"too noisy: 3 usable runs\"/>"));
}

TEST(Junit, AFailureOutsideTheSizesIsACase) {
    BenchResult result;
    result.rows = {row(4, Verdict::ok, "")};
    result.verdict = Verdict::regression;
    result.reasons = {"flow run 2: 1 wrong results"};
    EXPECT_THAT(to_junit(result), HasSubstr("name=\"whole runs\""));
    result.verdict = Verdict::ok;
    EXPECT_THAT(to_junit(result), Not(HasSubstr("whole runs")));
}

TEST(Junit, WhatInputHoldsCannotBreakTheXml) {
    Comparison comparison;
    comparison.rows.push_back({"<a href=\"x\">&\x01\xFF]]>", 0, 1, 1, {}});
    comparison.rows[0].judgement.verdict = Verdict::regression;
    comparison.rows[0].judgement.reason = "</failure>\x1b[31m";
    const std::string xml = to_junit(comparison, "a&b");
    EXPECT_THAT(
        xml, HasSubstr("name=\"&lt;a href=&quot;x&quot;&gt;&amp;\xEF\xBF\xBD\xEF\xBF\xBD]]&gt;\""));
    EXPECT_THAT(xml, HasSubstr("message=\"&lt;/failure&gt;\xEF\xBF\xBD[31m\""));
    EXPECT_THAT(xml, HasSubstr("classname=\"a&amp;b\""));
    EXPECT_THAT(xml, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace shed::measure
