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

// "ADDED Pod/mlx3-node-0-1-<2>" without the numbers at its end: siblings are made and removed side by side.
std::string without_numbers(std::string line) {
    while (!line.empty()) {
        const auto dash = line.rfind('-');
        const bool numbers = dash != std::string::npos && dash + 1 < line.size() &&
                             line.find_first_not_of("0123456789<>", dash + 1) == std::string::npos;
        if (!numbers) break;
        line.resize(dash);
    }
    return line;
}

// In which order the objects of a chain of controllers came, siblings as one. Left out: what was removed, for the
// garbage collector's workers race, and the namespace's own ConfigMap.
Json order_of(const Json& order, bool (*belongs)(const std::string&)) {
    std::vector<std::string> lines;
    for (const Json& entry : order) {
        const std::string line = without_numbers(entry.get<std::string>());
        const bool counts = line.starts_with("ADDED") && line.find("/kube-root-ca.crt") == std::string::npos;
        if (counts && belongs(line) && (lines.empty() || lines.back() != line)) lines.push_back(line);
    }
    return lines;
}

// Trainer applies a job's JobSet before or after its Secret and hostfile by the order of a Go map, which is random
// for each process: each of the two chains has an order, the two have none between them.
bool is_for_mpi(const std::string& line) { return line.find("-mpi-") != std::string::npos; }
bool is_not_for_mpi(const std::string& line) { return !is_for_mpi(line); }

// What the order of replicatedJobs means and all it means: their own, that of their statuses, and the numbers of
// Jobs over all of them.
void forget_order(Json& value) {
    if (!value.is_structured()) return;
    if (value.is_object()) {
        for (const char* name : {"replicatedJobs", "replicatedJobsStatus"}) {
            if (!value.contains(name) || !value[name].is_array()) continue;
            std::sort(value[name].begin(), value[name].end(), [](const Json& a, const Json& b) {
                return string_at(a, "name") < string_at(b, "name");
            });
        }
        for (const char* number : {"job-global-index", "job-group-index"})
            value.erase(std::string("jobset.sigs.k8s.io/") + number);
    }
    for (Json& part : value) forget_order(part);
}

Json sorted(Json list) {
    if (list.is_array()) std::sort(list.begin(), list.end());
    return list;
}

class Golden : public testing::TestWithParam<std::string> {
protected:
    // `listed`: what is excepted has to differ. Under other names chance may decide otherwise.
    void compare(const GoldenCase& recorded, Json expected, bool listed) {
        const PlayedCase played = play(recorded);
        Json actual = normal_record(recorded.ns, played.timeline, played.final_objects);
        if (!ordered_) forget_order(actual), forget_order(expected);
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
        if (!listed) return;
        for (const auto& belongs : {is_for_mpi, is_not_for_mpi})
            look("order", order_of(expected["adds"], belongs), order_of(actual["order"], belongs));
    }
    bool ordered_ = true;
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

TEST_P(Golden, DoesNotDependOnTheOrderOfReplicatedJobs) {
    auto recorded = GoldenCase::read(data + "/" + GetParam());
    ASSERT_TRUE(recorded) << recorded.error().message;
    if (!reverse_replicated_jobs(*recorded)) return;  // None whose order is free: played above.
    const Renaming renaming(*recorded);
    ordered_ = false;
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
