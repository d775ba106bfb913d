#include "bench/allreduce/pace/link_file.hpp"

#include <gmock/gmock.h>

namespace pace {
namespace {

using testing::StartsWith;

Link a_link(Algorithm algorithm) { return {20, 10, algorithm}; }

struct Case {
    Algorithm algorithm;
    int ranks;
    double us;
};

// a = 20 us, B = 10 Gbit/s = 1250 bytes/us; 1 MiB takes 838.8608 us.
TEST(LinkModel, IsTheFormulaOfEachAlgorithm) {
    constexpr double whole = 838.8608;
    const Case cases[] = {
        {Algorithm::ring, 2, 2 * 20 + whole},
        {Algorithm::ring, 4, 6 * 20 + 1.5 * whole},
        {Algorithm::recursive_doubling, 2, 20 + whole},
        {Algorithm::recursive_doubling, 8, 3 * (20 + whole)},
        {Algorithm::recursive_doubling, 5, 3 * (20 + whole)},
        {Algorithm::rabenseifner, 8, 6 * 20 + 1.75 * whole},
        {Algorithm::tree, 4, 4 * 20 + 2 * whole},
        {Algorithm::ring, 1, 0},
        {Algorithm::tree, 1, 0},
    };
    for (const Case& one : cases)
        EXPECT_DOUBLE_EQ(all_reduce_us(a_link(one.algorithm), one.ranks, 1 << 20), one.us)
            << static_cast<int>(one.algorithm) << " over " << one.ranks;
}

TEST(LinkModel, OfOtherCollectives) {
    const Link link = a_link(Algorithm::ring);
    EXPECT_DOUBLE_EQ(broadcast_us(link, 8, 1 << 20), 3 * (20 + 838.8608));
    EXPECT_DOUBLE_EQ(all_gather_us(link, 4, 1 << 20), 3 * (20 + 838.8608));
    EXPECT_DOUBLE_EQ(broadcast_us(link, 1, 1 << 20), 0);
    EXPECT_DOUBLE_EQ(all_gather_us(link, 1, 1 << 20), 0);
}

TEST(LinkFile, IsFlatYamlOrJson) {
    for (const char* text :
         {"# a slow one\nlatency_us: 20\nbandwidth_gbps: 2.5   # per direction\nalgorithm: "
          "'tree'\n",
          "---\r\nlatency_us: 20\r\nalgorithm: tree\r\nbandwidth_gbps: 2.5",
          R"(  {"latency_us": 20, "bandwidth_gbps": 2.5, "algorithm": "tree", "source": "#1"})"}) {
        const auto read = parse_link("f", text);
        if (const auto* complaint = std::get_if<Complaint>(&read)) ADD_FAILURE() << complaint->text;
        const auto link = std::get<Link>(read);
        EXPECT_EQ(link.latency_us, 20);
        EXPECT_EQ(link.bandwidth_gbps, 2.5);
        EXPECT_EQ(link.algorithm, Algorithm::tree);
    }
}

struct BadFile {
    const char *test, *text, *complaint;
};

class BadLinkFiles : public testing::TestWithParam<BadFile> {};

TEST_P(BadLinkFiles, AreRefusedByFileAndField) {
    const auto read = parse_link("slow.yaml", GetParam().text);
    ASSERT_TRUE(std::holds_alternative<Complaint>(read));
    EXPECT_THAT(std::get<Complaint>(read).text, StartsWith(GetParam().complaint));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadLinkFiles,
    testing::Values(
        BadFile{"Empty", "", "slow.yaml: latency_us: is missing"},
        BadFile{"Missing", "latency_us: 1\n", "slow.yaml: bandwidth_gbps: is missing"},
        BadFile{"Unknown", "latency: 1\n", "slow.yaml: latency: unknown field"},
        BadFile{"Twice", "latency_us: 1\nlatency_us: 2\n", "slow.yaml: latency_us: is there twice"},
        BadFile{"TwiceInJson", R"({"latency_us": 1, "latency_us": 2})",
                "slow.yaml: latency_us: is there twice"},
        BadFile{"Text", "latency_us: fast\n", "slow.yaml: latency_us: 'fast' is not a number"},
        BadFile{"Unit", "latency_us: 20us\n", "slow.yaml: latency_us: '20us' is not a number"},
        BadFile{"Quoted", "latency_us: \"20\"\n", "slow.yaml: latency_us: '20' is not a number"},
        BadFile{"NotFinite", "latency_us: inf\n", "slow.yaml: latency_us: 'inf' is not a number"},
        BadFile{"Negative", "latency_us: -1\n", "slow.yaml: latency_us: must not be negative"},
        BadFile{"NoBandwidth", "bandwidth_gbps: 0\n",
                "slow.yaml: bandwidth_gbps: must be positive"},
        BadFile{"Algorithm", "algorithm: star\n", "slow.yaml: algorithm: 'star' is not ring"},
        BadFile{"Nested", "link:\n  latency_us: 1\n", "slow.yaml: line 2: expected `name: value`"},
        BadFile{"List", "- latency_us\n", "slow.yaml: line 1: expected `name: value`"},
        BadFile{"JsonCut", R"({"latency_us": 1)", "slow.yaml: is not a JSON object"},
        BadFile{"JsonNested", R"({"latency_us": {"a": 1}})",
                "slow.yaml: latency_us: must be a number or a word"}),
    [](const auto& row) { return row.param.test; });

TEST(LinkFile, ThatCannotBeReadSaysSo) {
    const auto read = read_link("/nowhere/link.yaml");
    ASSERT_TRUE(std::holds_alternative<Complaint>(read));
    EXPECT_EQ(std::get<Complaint>(read).text, "/nowhere/link.yaml: cannot be read");
}

}  // namespace
}  // namespace pace
