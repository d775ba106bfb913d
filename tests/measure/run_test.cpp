#include "simulator/measure/run.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shed::measure {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string head =
    R"({"allreduce":"run","schema":1,"ranks":4,"hosts":[{"name":"a","ranks":2},{"name":"b","ranks":2}],)"
    R"("backend":"mpi","dtype":"float32","op":"sum","in_place":false,"timing":"slowest","mpi":"Open MPI v4.1.4",)"
    R"("transports":["tcp"],"yield_when_idle":true,"binding":"none",)"
    R"("mca":[{"name":"btl","value":"self,tcp","source":"environment"}],"cores":2,"unix_s":1700000000.5,)"
    R"("single_copy":"cma","algorithm":"ring","link":"/etc/link","delay_percent":20.0,"mpi_init_s":0.21,"init_done_unix_s":1700000001.0,"first_collective_s":0.004,"later_addition":[1]})";
const std::string row_1k =
    R"({"allreduce":"row","bytes":1024,"count":256,"dtype":"float32","op":"sum","in_place":false,"iterations":200,)"
    R"("wrong":0,"us":{"min":8.5,"p50":10.5,"p95":14,"p99":20,"mad":0.5,"mean":12},"algbw_GBps":0.0975,)"
    R"("busbw_GBps":0.146,"other_cpu_share":0.03,"infeasible":0.05,"target_us":9.5})";
const std::string row_4 =
    R"({"allreduce":"row","bytes":4,"count":1,"dtype":"float32","op":"sum","in_place":false,"iterations":200,)"
    R"("wrong":0,"us":{"min":1,"p50":2,"p95":3,"p99":4,"mad":0.5,"mean":2},"algbw_GBps":0.002,)"
    R"("busbw_GBps":0.003,"other_cpu_share":0.03,"infeasible":0})";
const std::string samples_1k = R"({"allreduce":"samples","bytes":1024,"first":0,"us":[10.5,11]})";
const std::string more_1k = R"({"allreduce":"samples","bytes":1024,"first":2,"us":[12]})";
const std::string tail = R"({"allreduce":"end","wrong":3,"seconds":1.5})";

std::string lines(std::initializer_list<std::string> parts) {
    std::string text;
    for (const std::string& part : parts) text += part + "\n";
    return text;
}

std::string replaced(std::string text, std::string_view what, std::string_view by) {
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), by);
}

std::string error_of(std::initializer_list<std::string> parts) {
    const auto run = parse_run(lines(parts), "log");
    return run ? "no error" : run.error().message;
}

TEST(ParseRun, ReadsFactsRowsAndSamplesAmongOtherLines) {
    const auto run =
        parse_run(lines({"Warning: Permanently added 'b' (ED25519)", head + "\r", row_1k,
                         samples_1k, "{\"other\":1}", row_4, more_1k, tail, "bye"}),
                  "log");
    ASSERT_TRUE(run) << run.error().message;
    EXPECT_EQ(run->facts.ranks, 4);
    ASSERT_EQ(run->facts.hosts.size(), 2u);
    EXPECT_EQ(run->facts.hosts[1].name, "b");
    EXPECT_EQ(run->facts.mca.at(0).value, "self,tcp");
    EXPECT_THAT(run->facts.transports, ElementsAre("tcp"));
    EXPECT_DOUBLE_EQ(run->facts.init_done_unix_s, 1700000001);
    ASSERT_EQ(run->rows.size(), 2u);
    EXPECT_EQ(run->rows[0].bytes, 4u) << "rows are sorted by size";
    EXPECT_DOUBLE_EQ(run->rows[1].p50_us, 10.5);
    EXPECT_DOUBLE_EQ(run->rows[1].infeasible_share, 0.05);
    EXPECT_DOUBLE_EQ(run->rows[1].target_us, 9.5);
    EXPECT_EQ(run->facts.link, "/etc/link");
    EXPECT_EQ(run->facts.single_copy, "cma");
    EXPECT_EQ(run->facts.algorithm, "ring");
    EXPECT_DOUBLE_EQ(run->facts.delay_percent, 20);
    EXPECT_THAT(run->samples_us.at(1024), ElementsAre(10.5, 11, 12));
    EXPECT_EQ(run->wrong, 3);
    EXPECT_DOUBLE_EQ(run->seconds, 1.5);
}

TEST(ParseRun, ACutOffRunIsSaidToBeIncomplete) {
    EXPECT_THAT(error_of({head, row_1k}),
                HasSubstr("log: the run is incomplete: it has no \"end\" after 1 sizes"));
}

TEST(ParseRun, NoRunAtAllIsNotFound) {
    const auto run = parse_run("mpirun: command not found\n", "log");
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().reason, Reason::not_found);
}

TEST(ParseRun, AMalformedLineIsNamed) {
    EXPECT_THAT(error_of({"noise", head, row_1k.substr(0, 90), tail}),
                HasSubstr("log:3: not JSON"));
    EXPECT_THAT(error_of({R"({"allreduce":7})"}),
                HasSubstr("log:1: \"allreduce\" is not a string"));
}

TEST(ParseRun, EachMissingOrWrongFieldIsNamed) {
    EXPECT_THAT(error_of({replaced(head, "\"ranks\":4", "\"ranks\":0"), tail}),
                HasSubstr("log:1: \"ranks\" is not a whole number of at least 1"));
    EXPECT_THAT(error_of({head, replaced(row_1k, "\"p99\"", "\"p98\""), tail}),
                HasSubstr("log:2: us: \"p99\" is missing"));
    EXPECT_THAT(error_of({head, replaced(row_1k, "\"wrong\":0", "\"wrong\":-1"), tail}),
                HasSubstr("\"wrong\""));
    EXPECT_THAT(error_of({replaced(head, "\"name\":\"b\"", "\"name\":8"), tail}),
                HasSubstr("hosts: \"name\""));
    EXPECT_THAT(error_of({head, replaced(row_1k, "\"p50\":10.5", "\"p50\":0"), tail}),
                HasSubstr("above 0"));
    EXPECT_THAT(error_of({head, replaced(row_1k, "\"infeasible\":0.05", "\"infeasible\":5"), tail}),
                HasSubstr("not a share"));
    EXPECT_THAT(error_of({replaced(head, "\"schema\":1", "\"schema\":2"), tail}),
                HasSubstr("schema 2"));
    EXPECT_THAT(error_of({replaced(head, "\"ranks\":4", "\"ranks\":99999999999"), tail}),
                HasSubstr("\"ranks\""));
}

TEST(ParseRun, RecordsOutOfOrderAreRefused) {
    EXPECT_THAT(error_of({row_1k, head, tail}), HasSubstr("log:1: \"row\" before \"run\""));
    EXPECT_THAT(error_of({head, tail, row_1k}), HasSubstr("log:3: \"row\" after \"end\""));
    EXPECT_THAT(error_of({head, head}), HasSubstr("a second \"run\""));
    EXPECT_THAT(error_of({head, row_1k, row_1k, tail}), HasSubstr("a second row of 1024 bytes"));
    EXPECT_THAT(error_of({head, row_1k, more_1k, tail}), HasSubstr("some are lost"));
    EXPECT_THAT(error_of({head, samples_1k, tail}),
                HasSubstr("samples of 1024 bytes without a row"));
    EXPECT_THAT(error_of({head, R"({"allreduce":"column"})"}), HasSubstr("unknown record"));
}

TEST(Bandwidth, FollowsNcclTests) {
    EXPECT_DOUBLE_EQ(algbw_GBps(1'000'000, 100), 10);
    EXPECT_DOUBLE_EQ(busbw_GBps(10, 4), 15);
    EXPECT_DOUBLE_EQ(busbw_GBps(10, 1), 0) << "one rank moves nothing (nccl-tests issue 249)";
    EXPECT_DOUBLE_EQ(algbw_GBps(1, 0), 0);
}

}  // namespace
}  // namespace shed::measure
