#include "simulator/measure/report_html.hpp"

#include "fakes/base/base64.hpp"
#include "simulator/measure/chart.hpp"
#include "simulator/measure/paired.hpp"
#include "tests/measure/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <cmath>

namespace shed::measure {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

BenchResult sample() {
    Rng rng(1);
    std::vector<std::uint64_t> sizes;
    for (std::uint64_t bytes = 4; bytes <= 1u << 26; bytes *= 4) sizes.push_back(bytes);
    std::vector<Pair> pairs;
    for (int i = 0; i < 9; ++i) {
        const auto time = [&](std::uint64_t bytes) {
            return (50 + static_cast<double>(bytes) / 1000) * (1 + 0.02 * samples::normal(rng));
        };
        pairs.push_back({samples::run(sizes, time), samples::run(sizes, time)});
    }
    pairs[3].flow.rows[2].other_cpu_share = 0.5;
    BenchResult result = *summarise(pairs, {});
    result.command = "trainshed bench allreduce";
    result.version = "0.1.0";
    result.machine.cpu_model = "AMD EPYC";
    result.launch = {{"flow", {{"pods ready", 1}, {"MPI_Init", 0.5}}},
                     {"bare", {{"MPI_Init", 0.4}}}};
    return result;
}

ReportInput full() {
    ReportInput input;
    input.result = sample();
    input.baseline = sample();
    input.comparison = *compare(*input.baseline, input.result, {});
    for (int i = 0; i < 7; ++i) {
        input.history.push_back(history_entry(input.result));
        input.history.back().unix_s += i;
    }
    input.models = fitted_models(input.result);
    input.models.push_back(
        predicted_model(input.result, Algorithm::ring, {20, 1.25, 0, "data sheet"}));
    return input;
}

// Every element that opens closes, in order. Returns what is wrong, or nothing.
std::string unbalanced(const std::string& html) {
    std::vector<std::string> open;
    for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
        if (html.compare(at, 2, "<!") == 0) continue;
        const std::size_t end = html.find('>', at);
        if (end == std::string::npos) return "a tag without end";
        const std::string tag = html.substr(at + 1, end - at - 1);
        const std::string name = tag.substr(0, tag.find_first_of(" /", 1));
        if (name == "meta" || name == "br" || tag.back() == '/') continue;
        if (name[0] != '/') open.push_back(name);
        else if (open.empty() || "/" + open.back() != name) return "unexpected " + name;
        else open.pop_back();
        // What follows these is not markup.
        if (name == "script" || name == "style") at = html.find("</" + name, end) - 1;
    }
    return open.empty() ? "" : open.back() + " is open";
}

std::size_t count(const std::string& text, std::string_view what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
        ++found;
    return found;
}

TEST(ReportHtml, HasEverySectionAndIsWellFormed) {
    const std::string html = report_html(full());
    EXPECT_EQ(unbalanced(html), "");
    for (const char* title : {"Against size", "Every run", "Sizes", "Launch", "Models", "History",
                              "Noise", "How the verdict is reached", "Data"})
        EXPECT_THAT(html, HasSubstr(title));
    EXPECT_THAT(html, AllOf(HasSubstr("AMD EPYC"), HasSubstr("against the baseline"),
                            HasSubstr("wrong elements")));
    EXPECT_THAT(html,
                AllOf(Not(HasSubstr("\"nan")), Not(HasSubstr("\"-nan")), Not(HasSubstr("\"inf"))));
    EXPECT_EQ(html, report_html(full())) << "the same input gives the same bytes";
}

TEST(ReportHtml, LoadsNothingFromElsewhere) {
    const std::string html = report_html(full());
    for (const char* reach : {"http:", "https:", " src=", "@import", "url(", "<link", "<iframe"})
        EXPECT_THAT(html, Not(HasSubstr(reach)));
    EXPECT_THAT(html, HasSubstr("default-src 'none'"));
}

TEST(ReportHtml, NothingMeasuredIsStillAPage) {
    const std::string html = report_html(ReportInput());
    EXPECT_EQ(unbalanced(html), "");
    EXPECT_THAT(html, Not(HasSubstr("<h2>History")));
}

TEST(ReportHtml, EscapesWhateverInputHolds) {
    const std::string evil = "</script><script>alert(1)</script>\"'&\x01";
    ReportInput input = full();
    for (BenchResult* result : {&input.result, &*input.baseline}) {
        for (std::string* text :
             {&result->command, &result->version, &result->machine.cpu_model, &result->machine.gpu,
              &result->machine.kernel, &result->machine.mpi, &result->machine.governor,
              &result->configuration.benchmark, &result->configuration.backend,
              &result->configuration.dtype, &result->configuration.timing,
              &result->configuration.binding, &result->configuration.pacing})
            *text = evil;
        result->configuration.transports = {evil};
        result->notes = result->reasons = {evil};
        for (Launch& launch : result->launch) launch.label = launch.stages[0].name = evil;
        for (ResultRow& row : result->rows) row.reason = row.flow.runs[0].left_out = evil;
        for (NoiseEntry& entry : result->noise) entry.side = evil;
    }
    input.comparison->warnings = input.comparison->reasons = {evil};
    for (HistoryEntry& entry : input.history) entry.version = evil;
    for (ModelLine& model : input.models) {
        model.name = evil;
        model.notes = {evil};
    }
    const std::string html = report_html(input);
    EXPECT_EQ(count(html, "<script"), 1u);
    EXPECT_EQ(count(html, "alert(1)"), count(html, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    EXPECT_GT(count(html, "alert(1)"), 30u);
    EXPECT_THAT(html, Not(HasSubstr("\x01")));
    EXPECT_EQ(unbalanced(html), "");
}

TEST(ReportHtml, CarriesItsData) {
    const ReportInput input = full();
    const std::string html = report_html(input);
    const std::string start = "download=\"result.json\" href=\"data:application/json;base64,";
    const std::size_t at = html.find(start);
    ASSERT_NE(at, std::string::npos);
    const std::size_t from = at + start.size();
    const std::string bytes = decode_base64(html.substr(from, html.find('"', from) - from));
    const auto read = parse_result(bytes, "result.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(result_text(*read), result_text(input.result));
    EXPECT_THAT(html,
                AllOf(HasSubstr("download=\"result.csv\""), HasSubstr("download=\"baseline.json\""),
                      HasSubstr("download=\"history.jsonl\"")));
}

TEST(PacedModels, AreTheLinksTimes) {
    BenchResult result = sample();
    EXPECT_THAT(paced_models(result), IsEmpty());
    result.rows[1].target_us = 7;
    ASSERT_EQ(paced_models(result).size(), 1u);
    EXPECT_EQ(paced_models(result)[0].points.at(0).us, 7);
}

TEST(FittedModels, FollowTheMeasuredCurve) {
    const auto models = fitted_models(sample());
    ASSERT_EQ(models.size(), 1u);
    ASSERT_TRUE(models[0].error);
    EXPECT_LT(models[0].error->median, 0.05);
    BenchResult few = sample();
    few.rows.resize(3);
    EXPECT_THAT(fitted_models(few), IsEmpty());
}

TEST(ChartTest, TicksAreRound) {
    EXPECT_THAT(decade_ticks(3, 4000), ElementsAre(10, 100, 1000));
    EXPECT_THAT(decade_ticks(3, 40), ElementsAre(5, 10, 20));
    EXPECT_THAT(decade_ticks(0, 10), IsEmpty());
    EXPECT_THAT(decade_ticks(1, INFINITY), IsEmpty());
    EXPECT_THAT(size_ticks(4, 1 << 20, 5), ElementsAre(32, 1024, 32768, 1 << 20));
    EXPECT_THAT(size_ticks(4, 64, 5), ElementsAre(4, 8, 16, 32, 64));
    EXPECT_EQ(time_tick(1000), "1 ms");
    EXPECT_EQ(bandwidth_tick(0.01), "10 MB/s");
}

TEST(ChartTest, PlacesPointsByTheirLogarithm) {
    Chart chart{"t",
                time_tick,
                time_tick,
                {{"flow", "flow", true, {{4, 10, 0, 0}, {64, 100, 0, 0}, {1024, 1000, 0, 0}}}}};
    const std::string svg = draw(chart, 568 - 16, 300);
    EXPECT_THAT(svg, HasSubstr("cx=\"64.0\""));
    EXPECT_THAT(svg, HasSubstr("cx=\"298.0\"")) << "half-way, as 64 is between 4 and 1024";
    EXPECT_THAT(svg, HasSubstr("cx=\"532.0\""));
    EXPECT_THAT(svg, HasSubstr("data-tip=\"64 B\nflow  100 us\""));
}

TEST(ChartTest, LeavesOutWhatALogarithmCannotShow) {
    Chart chart{"t",
                time_tick,
                time_tick,
                {{"flow", "flow", true, {{0, 10, 0, 0}, {4, 0, 0, 0}, {8, NAN, 0, 0}}}}};
    EXPECT_EQ(draw(chart, 500, 300), "");
    chart.lines[0].points.push_back({16, 5, 0, 0});
    EXPECT_EQ(count(draw(chart, 500, 300), "<circle"), 1u);
    EXPECT_THAT(draw(chart, 500, 300), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace shed::measure
