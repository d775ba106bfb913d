// Every recorded case, played on paper and compared with what the real cluster stored; then once more
// with every object under another name, so that no answer can hang on one. What differs is listed with
// its reason in data/golden/exceptions.txt; an entry that is no longer needed fails.
#include "tests/flow/golden_player.hpp"
#include "tests/flow/normalise.hpp"
#include "tests/flow/renamed.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

namespace shed {
namespace {

namespace fs = std::filesystem;

const std::string data = std::string(SHED_TEST_DATA) + "/golden";

std::vector<std::string> case_names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(data))
        if (entry.is_directory()) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

std::set<std::string> exceptions_of(const std::string& name) {
    std::set<std::string> aspects;
    std::ifstream in(data + "/exceptions.txt");
    for (std::string line; std::getline(in, line);) {
        std::istringstream words(line);
        std::string of, aspect;
        if (words >> of >> aspect && of == name) aspects.insert(aspect);
    }
    return aspects;
}

Json expected_of(const std::string& name) {
    std::ifstream in(data + "/" + name + "/expected.json");
    return Json::parse(in);
}

// Which objects came and went; in which order siblings did is the real cluster's own chance.
Json adds_of(const Json& order) {
    std::vector<std::string> lines;
    for (const Json& line : order)
        if (!line.get_ref<const std::string&>().starts_with("MODIFIED")) lines.push_back(line.get<std::string>());
    std::sort(lines.begin(), lines.end());
    return lines;
}

Json sorted(Json list) {
    if (list.is_array()) std::sort(list.begin(), list.end());
    return list;
}

class Golden : public testing::TestWithParam<std::string> {
protected:
    // `listed`: what is excepted has to differ. Under other names chance may decide otherwise.
    void compare(const GoldenCase& recorded, const Json& expected, bool listed) {
        const PlayedCase played = play(recorded);
        const Json actual = normal_record(recorded.ns, played.timeline, played.final_objects);
        const std::set<std::string> excepted = exceptions_of(GetParam());
        const auto look = [&](const char* aspect, const Json& want, const Json& have) {
            const bool is_excepted = excepted.contains(aspect);
            if (!is_excepted) {
                EXPECT_EQ(Json::diff(want, have).dump(1), "[]") << aspect;
            }
            if (is_excepted && listed) {
                EXPECT_NE(want, have) << aspect << " no longer differs: take it from exceptions.txt";
            }
        };
        look("final", sorted(expected["final"]), sorted(actual["final"]));
        look("conditions", expected["conditions"], actual["conditions"]);
        look("events", sorted(expected["events"]), sorted(actual["events"]));
        look("adds", adds_of(expected["adds"]), adds_of(actual["order"]));
    }
};

TEST_P(Golden, IsPlayedAsItWasRecorded) {
    const auto recorded = GoldenCase::read(data + "/" + GetParam());
    ASSERT_TRUE(recorded) << recorded.error().message;
    compare(*recorded, expected_of(GetParam()), true);
}

TEST_P(Golden, DoesNotDependOnNames) {
    const auto recorded = GoldenCase::read(data + "/" + GetParam());
    ASSERT_TRUE(recorded) << recorded.error().message;
    const Renaming renaming(*recorded);
    compare(renaming(*recorded), renaming(expected_of(GetParam())), false);
}

INSTANTIATE_TEST_SUITE_P(Cases, Golden, testing::ValuesIn(case_names()), [](const auto& row) {
    std::string name = row.param;
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(GoldenCases, AreAllThere) { EXPECT_EQ(case_names().size(), 49u); }

}  // namespace
}  // namespace shed
