#include "simulator/measure/google_benchmark.hpp"

#include "simulator/measure/paired.hpp"
#include "tests/measure/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed::measure {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

BenchResult sample() {
    std::vector<Pair> pairs;
    for (int i = 0; i < 3; ++i)
        pairs.push_back({samples::run({4, 1024}, [&](auto) { return 10.0 + i; }),
                         samples::run({4, 1024}, [&](auto) { return 8.0 + i; })});
    pairs[2].flow.rows[1].other_cpu_share = 0.9;
    return *summarise(pairs, {});
}

std::vector<Series> read(const std::string& text) {
    auto series = parse_google_benchmark(text, "b.json");
    EXPECT_TRUE(series) << series.error().message;
    return series ? *series : std::vector<Series>();
}

TEST(GoogleBenchmark, ReadsWhatItWrote) {
    const nlohmann::json json = to_google_benchmark(sample());
    EXPECT_THAT(read(json.dump()), ElementsAre(Series{"allreduce/flow/4", {10, 11, 12}},
                                               Series{"allreduce/bare/4", {8, 9, 10}},
                                               Series{"allreduce/flow/1024", {10, 11}},
                                               Series{"allreduce/bare/1024", {8, 9}}));
    EXPECT_EQ(json["context"]["json_schema_version"], 1);
    EXPECT_EQ(json["context"]["transports"], "tcp");
    const auto& first = json["benchmarks"][0];
    EXPECT_EQ(first["run_type"], "iteration");
    EXPECT_EQ(first["repetitions"], 3);
    EXPECT_EQ(first["bytes_per_second"], 4e5);
    const auto& deviation = json["benchmarks"][5];
    EXPECT_EQ(deviation["name"], "allreduce/flow/4_stddev");
    EXPECT_EQ(deviation["run_name"], "allreduce/flow/4");
    EXPECT_EQ(deviation["real_time"], 1);
    EXPECT_EQ(json["benchmarks"][6]["aggregate_unit"], "percentage");
}

TEST(GoogleBenchmark, ReadsItsOwnProgramsFiles) {
    const auto series = read(R"({"context":{"date":"2016-08-02"},"benchmarks":[
      {"name":"BM_Two","iterations":1000,"real_time":9,"cpu_time":90,"time_unit":"ns"},
      {"name":"BM_Two","iterations":1000,"real_time":8,"cpu_time":86,"time_unit":"ns"},
      {"name":"slow","run_name":"slow","run_type":"iteration","real_time":2.5,"cpu_time":1,"time_unit":"ms"},
      {"name":"BM_Two_mean","run_name":"BM_Two","run_type":"aggregate","aggregate_name":"mean","real_time":8.5,
       "cpu_time":88,"time_unit":"ns"},
      {"name":"sum_median","run_name":"sum","run_type":"aggregate","aggregate_name":"median","real_time":3,
       "cpu_time":3,"time_unit":"us"},
      {"name":"sum_cv","run_name":"sum","run_type":"aggregate","aggregate_name":"cv","aggregate_unit":"percentage",
       "real_time":0.02,"cpu_time":0.02,"time_unit":"us"},
      {"name":"bad","run_name":"bad","run_type":"iteration","error_occurred":true,"error_message":"x"},
      {"name":"f_BigO","run_name":"f","run_type":"aggregate","aggregate_name":"BigO","big_o":"N","time_unit":"ns"}]})");
    EXPECT_THAT(series, ElementsAre(Series{"BM_Two", {9 * 1e-3, 8 * 1e-3}}, Series{"slow", {2500}},
                                    Series{"sum", {3}}));
}

TEST(GoogleBenchmark, WhatIsWrongIsNamed) {
    const auto error = [](const char* text) {
        const auto series = parse_google_benchmark(text, "b.json");
        return series ? "read" : series.error().message;
    };
    EXPECT_THAT(error("{"), HasSubstr("b.json: not JSON"));
    EXPECT_THAT(error("{}"), HasSubstr("\"context\" is missing"));
    EXPECT_THAT(error(R"({"context":{"json_schema_version":2},"benchmarks":[]})"),
                HasSubstr("json_schema_version 2"));
    EXPECT_THAT(
        error(R"({"context":{},"benchmarks":[{"name":"a","real_time":1,"time_unit":"weeks"}]})"),
        HasSubstr("b.json: benchmarks[0]: unknown time_unit \"weeks\""));
    EXPECT_THAT(error(R"({"context":{},"benchmarks":[{"name":"a","real_time":"1"}]})"),
                HasSubstr("\"real_time\""));
}

}  // namespace
}  // namespace shed::measure
