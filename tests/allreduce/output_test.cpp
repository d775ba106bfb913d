#include "bench/allreduce/lines.hpp"
#include "bench/allreduce/table.hpp"

#include <gmock/gmock.h>
#include <iterator>
#include <sstream>

namespace allreduce {
namespace {

using Json = nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

Row a_row() {
    Row row;
    row.problem = {Dtype::float32, Op::sum, 4, 262144, false};
    row.samples_us = {1000, 900, 1100};
    return row;
}

TEST(Lines, OfARowHaveWhatTheContractSays) {
    Row row = a_row();
    row.other_cpu_share = 0.03;
    row.infeasible = 0.5;
    row.target_us = 950;
    const Json line = Json::parse(row_line(row));
    EXPECT_EQ(line["allreduce"], "row");
    EXPECT_EQ(line["bytes"], 1048576);
    EXPECT_EQ(line["count"], 262144);
    EXPECT_EQ(line["dtype"], "float32");
    EXPECT_EQ(line["op"], "sum");
    EXPECT_EQ(line["in_place"], false);
    EXPECT_EQ(line["iterations"], 3);
    EXPECT_EQ(line["wrong"], 0);
    EXPECT_EQ(line["us"]["p50"], 1000.0);
    EXPECT_EQ(line["us"]["mad"], 100.0);
    EXPECT_EQ(line["algbw_GBps"], 1.04858);
    EXPECT_EQ(line["busbw_GBps"], 1.57286);
    EXPECT_EQ(line["other_cpu_share"], 0.03);
    EXPECT_EQ(line["infeasible"], 0.5);
    EXPECT_EQ(line["target_us"], 950.0);
}

TEST(Lines, OfOsuTimingReckonWithTheMean) {
    Row row = a_row();
    row.samples_us = {1, 1, 4};
    EXPECT_EQ(row.time_us(), 1);
    row.timing = Timing::osu;
    EXPECT_EQ(row.time_us(), 2);
}

TEST(Lines, OfManySamplesAreShortAndLoseNone) {
    Row row = a_row();
    row.samples_us.clear();
    for (int i = 0; i < 5000; ++i) row.samples_us.push_back(i + 0.125);
    std::vector<double> together;
    for (const std::string& text : sample_lines(row)) {
        EXPECT_LE(text.size(), 4096u);
        const Json line = Json::parse(text);
        EXPECT_EQ(line["allreduce"], "samples");
        EXPECT_EQ(line["bytes"], 1048576);
        EXPECT_EQ(line["first"], together.size());
        for (const Json& us : line["us"]) together.push_back(us.get<double>());
    }
    EXPECT_EQ(together, row.samples_us);
}

RunFacts facts_of_run() {
    RunFacts facts;
    facts.ranks = 4;
    facts.hosts = count_hosts({"a", "b", "a", "a"});
    facts.mpi = "Open MPI v4.1.4";
    facts.transports = {"vader", "tcp"};
    facts.mca = {{"btl", "^openib", "file /etc/openmpi/openmpi-mca-params.conf"}};
    facts.argv = {"allreduce", "--json"};
    facts.unix_s = 1795690728.599572;
    return facts;
}

TEST(Lines, OfTheRunSayWhereItRan) {
    const Json line = Json::parse(run_line(Options{}, facts_of_run()));
    EXPECT_EQ(line["allreduce"], "run");
    EXPECT_EQ(line["schema"], 1);
    EXPECT_EQ(line["hosts"], Json::parse(R"([{"name":"a","ranks":3},{"name":"b","ranks":1}])"));
    EXPECT_EQ(line["transports"], Json::parse(R"(["vader","tcp"])"));
    EXPECT_EQ(line["mca"][0]["source"], "file /etc/openmpi/openmpi-mca-params.conf");
    EXPECT_EQ(line["unix_s"], 1795690728.599572);
    EXPECT_FALSE(line.contains("mca_left_out"));
}

TEST(Lines, OfTheRunStayBelow8KiBAndSayWhatTheyLeaveOut) {
    RunFacts facts = facts_of_run();
    facts.argv.emplace_back(20'000, 'x');
    for (int i = 0; i < 300; ++i)
        facts.mca.push_back({"parameter", std::string(90, 'v'), "environment"});
    const std::string text = run_line(Options{}, facts);
    EXPECT_LT(text.size(), 8192u);
    const Json line = Json::parse(text);
    EXPECT_EQ(line["argv_left_out"], 1);
    EXPECT_EQ(line["mca"].size() + line["mca_left_out"].get<std::size_t>(), facts.mca.size());
    EXPECT_EQ(line["hosts"].size(), 2u);
}

TEST(Lines, SurviveBytesThatAreNoText) {
    RunFacts facts = facts_of_run();
    facts.argv.emplace_back("\xff");
    EXPECT_NO_THROW(Json::parse(run_line(Options{}, facts)));
}

// One word per column of nccl-tests, then ours.
TEST(Table, HasNcclTestsColumns) {
    std::istringstream words(table_row(a_row()));
    const std::vector<std::string> columns{std::istream_iterator<std::string>(words), {}};
    EXPECT_THAT(columns, ElementsAre("1048576", "262144", "float", "sum", "-1", "1000.0", "1.05",
                                     "1.57", "0", "900.00", "1090.0"));
    EXPECT_THAT(
        table_head(Options{}, facts_of_run()),
        HasSubstr("size         count      type   redop   root    time   algbw   busbw #wrong"));
}

TEST(Table, SaysWhatMakesItsFiguresSuspect) {
    Row row = a_row();
    row.infeasible = 0.5;
    row.target_us = 950;
    EXPECT_THAT(table_row(row), HasSubstr("# 50 % of calls slower than the link (950.0 us)"));
    Options options;
    options.delay_percent = 20;
    EXPECT_THAT(table_head(options, facts_of_run()), HasSubstr("# each call made 20 % longer"));
    EXPECT_THAT(table_end(3), HasSubstr("3 FAILED"));
}

}  // namespace
}  // namespace allreduce
