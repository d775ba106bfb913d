#include "simulator/measure/paired.hpp"

#include "tests/measure/samples.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed::measure {
namespace {

using testing::HasSubstr;
using testing::StartsWith;
using Json = nlohmann::json;

BenchResult sample() {
    const auto time = [](std::uint64_t bytes) { return 10.25 + static_cast<double>(bytes) / 3; };
    std::vector<Pair> pairs(9, {samples::run({4, 4096}, time), samples::run({4, 4096}, time)});
    pairs[1].flow.rows[0].other_cpu_share = 0.5;
    BenchResult result = *summarise(pairs, {});
    result.command = "trainshed bench allreduce --np 4";
    result.version = "0.1.0";
    result.machine = {
        "AMD EPYC", 2, std::uint64_t{24} << 30, "6.18.0-1", "", "Open MPI v4.1.4", "", 0.1, 0.2};
    result.launch = {{"flow", {{"pods ready", 1.25}, {"MPI_Init", 0.5}}}};
    return result;
}

std::string error_of(const Json& json) {
    const auto result = parse_result(json.dump(), "a.json");
    return result ? "no error" : result.error().message;
}

TEST(ResultDocument, IsReadAsItWasWritten) {
    const Json written = to_json(sample());
    const auto read = parse_result(written.dump(), "a.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_json(*read), written);
    EXPECT_EQ(written["schema"], "trainshed.bench/v1");
    EXPECT_EQ(written["rows"][0]["flow"]["runs"].size(), 9u);
    EXPECT_EQ(written["rows"][0]["flow"]["runs"][1]["left_out"],
              "50.0 % of the processors used by others");
}

TEST(ResultDocument, WhatIsWrongIsNamed) {
    const Json good = to_json(sample());
    Json bad = good;
    bad["schema"] = "trainshed.bench/v2";
    EXPECT_THAT(error_of(bad), HasSubstr("a.json: schema \"trainshed.bench/v2\""));
    bad = good;
    bad["rows"][1]["flow"].erase("p50_us");
    EXPECT_THAT(error_of(bad), StartsWith("a.json: rows[1]: flow: \"p50_us\" is missing"));
    bad = good;
    bad["rows"][0]["bare"]["runs"][2]["wrong"] = "none";
    EXPECT_THAT(error_of(bad), StartsWith("a.json: rows[0]: bare: runs[2]: \"wrong\" is not"));
    bad = good;
    bad["verdict"] = "fine";
    EXPECT_THAT(error_of(bad), HasSubstr("unknown verdict \"fine\""));
    bad = good;
    bad["rows"][0]["ratio_interval"] = {1};
    EXPECT_THAT(error_of(bad), HasSubstr("\"ratio_interval\" is not a list of two numbers"));
    bad = good;
    bad["configuration"]["tier"] = "fast";
    EXPECT_THAT(error_of(bad), HasSubstr("unknown tier"));
    EXPECT_THAT(error_of(Json::array()), HasSubstr("expected a JSON object"));
    EXPECT_THAT(parse_result("{", "a.json").error().message, StartsWith("a.json: not JSON"));
}

// Every member that is removed or replaced by another type is an error or leaves a readable result;
// nothing throws.
TEST(ResultDocument, SurvivesAnyMemberReplaced) {
    const Json good = to_json(sample());
    const Json flat = good.flatten();
    int refused = 0;
    for (const auto& [path, value] : flat.items()) {
        for (const Json& other :
             {Json(nullptr), Json(-1), Json("x"), Json::array(), Json::object(), Json(1e300)}) {
            Json changed = good;
            changed[Json::json_pointer(path)] = other;
            const auto read = parse_result(changed.dump(), "a.json");
            refused += !read;
        }
    }
    EXPECT_GT(refused, 100);
}

TEST(ResultCsv, HasOneLinePerSizeAndSide) {
    const std::string csv = to_csv(sample());
    EXPECT_THAT(csv, StartsWith("bytes,count,side,runs,p50_us"));
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 5);
    EXPECT_THAT(csv, HasSubstr("\r\n4096,1024,bare,9,1375.5833333333333,"));
}

TEST(Fingerprint, ChangesWithWhatMattersOnly) {
    const MachineFacts machine = sample().machine;
    MachineFacts same = machine;
    same.kernel = "6.19.2";
    same.memory_bytes -= 1'000'000;
    same.load_before = 9;
    EXPECT_EQ(fingerprint(machine), fingerprint(same));
    EXPECT_EQ(fingerprint(machine).size(), 16u);
    for (const auto& change : std::vector<std::function<void(MachineFacts&)>>{
             [](MachineFacts& m) { m.cpu_model = "other"; }, [](MachineFacts& m) { m.cores = 4; },
             [](MachineFacts& m) { m.memory_bytes *= 2; },
             [](MachineFacts& m) { m.kernel = "7.0"; }, [](MachineFacts& m) { m.gpu = "H100"; },
             [](MachineFacts& m) { m.mpi = "Open MPI v5.0.11"; }}) {
        MachineFacts other = machine;
        change(other);
        EXPECT_NE(fingerprint(machine), fingerprint(other));
    }
}

TEST(ConfigurationTest, TheFirstDifferenceIsNamed) {
    Configuration a = sample().configuration, b = a;
    a.transports = {"tcp", "vader"};
    b.transports = {"vader", "tcp"};
    EXPECT_EQ(difference(a, b), std::nullopt) << "their order means nothing";
    b.transports = {"tcp"};
    EXPECT_EQ(difference(a, b), "transports: tcp+vader and tcp");
    b.pacing = "x";
    b.ranks_per_host = {4};
    EXPECT_EQ(difference(a, b), "ranks_per_host: 2+2 and 4");
    EXPECT_THAT(configuration_key(a),
                StartsWith("benchmark=allreduce tier=raw ranks=4 ranks_per_host=2+2"));
}

}  // namespace
}  // namespace shed::measure
