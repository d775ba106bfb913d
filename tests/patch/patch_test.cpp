#include "fakes/patch/patch.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace shed {
namespace {

// Requests that a real server answered, in order: patches, and objects as other requests left them.
std::vector<Json> read_rows(const std::string& name) {
    std::vector<Json> rows;
    std::ifstream file(SHED_TEST_DATA "/" + name);
    for (std::string line; std::getline(file, line);) rows.push_back(Json::parse(line));
    return rows;
}

// Decoding into the server's types drops empty members, and versions are the server's.
Json normal(Json value, bool top = true) {
    if (top && value.contains("metadata"))
        for (const char* name : {"managedFields", "resourceVersion", "generation"})
            value["metadata"].erase(name);
    if (!value.is_structured()) return value;
    for (Json& part : value) part = normal(std::move(part), false);
    if (!value.is_object()) return value;
    for (auto at = value.begin(); at != value.end();)
        at =
            at->is_null() || (at->is_structured() && at->empty()) ? value.erase(at) : std::next(at);
    return value;
}

std::string difference(const Json& got, const Json& expected) {
    const Json ops = Json::diff(normal(got), normal(expected));
    return ops.empty() ? "" : ops.dump();
}

// When the real server carried out an apply, by the entry it left.
Time time_of(const Json& row) {
    for (const Json& entry : at_path(member(row, "after"), "metadata.managedFields"))
        if (string_at(entry, "manager") == string_at(row, "manager"))
            if (const auto time = parse_time(string_at(entry, "time"))) return *time;
    return Time{};
}

Result<Json> patched(const Json& row, const Json& live) {
    const std::string type = string_at(row, "type");
    const Json& patch = row.at("patch");
    if (type == "json") return json_patch(live, patch);
    if (type == "merge") return merge_patch(live, patch);
    if (type == "strategic")
        return strategic_merge_patch(string_at(live, "apiVersion"), string_at(live, "kind"), live,
                                     patch);
    const ApplyOptions options{string_at(row, "manager"), bool_at(row, "force"),
                               string_at(row, "subresource"), time_of(row)};
    return apply_patch(kind_of(string_at(patch, "apiVersion"), string_at(patch, "kind")), live,
                       patch, options);
}

// Calls `check(row, live)` for each patch, with the object as the real server had it before.
template <class Check>
void replay(const std::string& file, Check check) {
    std::map<std::string, Json> live;
    for (const Json& row : read_rows(file)) {
        const std::string object = string_at(row, "object");
        if (string_at(row, "type") != "stored") check(row, live[object]);
        if (row.contains("after") && !row.contains("dryRun")) live[object] = row["after"];
    }
}

// Without what controllers wrote to the status in between.
std::string managers_of(const Json& object) {
    Json entries = Json::array();
    for (Json entry : at_path(object, "metadata.managedFields")) {
        if (string_at(entry, "operation") == "Update" && entry.contains("subresource")) continue;
        entry.erase("time");
        entries.push_back(std::move(entry));
    }
    return entries.dump(1);
}

// Rows in which admission, controllers, pruning or the subresource change more than the patch does.
const std::set<int> changed_by_others = {6, 16, 17, 21, 29, 33, 35, 36, 42, 58, 60, 61, 62, 63, 64};

TEST(RecordedPatches, LeaveTheObjectThatTheRealServerLeft) {
    int compared = 0;
    replay("patch.jsonl", [&](const Json& row, const Json& live) {
        if (int_at(row, "status") != 200 ||
            changed_by_others.contains(static_cast<int>(int_at(row, "id"))))
            return;
        const auto got = patched(row, live);
        ASSERT_TRUE(got) << row["note"] << ": " << got.error().message;
        EXPECT_EQ(difference(*got, row["after"]), "") << row["id"] << " " << row["note"];
        ++compared;
    });
    EXPECT_GE(compared, 38);
}

TEST(RecordedPatches, AreRefusedInTheWordsOfTheRealServer) {
    int compared = 0;
    replay("patch.jsonl", [&](const Json& row, const Json& live) {
        if (int_at(row, "status") != 500) return;
        const auto got = patched(row, live);
        ASSERT_FALSE(got) << row["note"];
        EXPECT_EQ(got.error().message, string_at(row, "message"));
        EXPECT_EQ(got.error().reason, Reason::internal);
        ++compared;
    });
    EXPECT_EQ(compared, 2);
}

// 15: null in a map of strings is stored as "". The others: defaults, or a controller's write.
const std::set<int> defaulted = {1, 15, 25, 28, 31, 32, 36, 38, 44, 47, 48, 56, 58};

TEST(RecordedApplies, LeaveTheObjectAndTheOwnersThatTheRealServerLeft) {
    int compared = 0;
    replay("apply.jsonl", [&](const Json& row, const Json& live) {
        const auto id = static_cast<int>(int_at(row, "id"));
        if (int_at(row, "status") > 201 || string_at(row, "type") != "apply") return;
        const auto got = patched(row, live);
        ASSERT_TRUE(got) << row["note"] << ": " << got.error().message;
        if (!defaulted.contains(id)) {
            EXPECT_EQ(difference(*got, row["after"]), "") << id << " " << row["note"];
        }
        // 20: unlike kube-apiserver, plain writes own nothing, so no "before-first-apply".
        if (id != 20) {
            EXPECT_EQ(managers_of(*got), managers_of(row["after"])) << id << " " << row["note"];
        }
        ++compared;
    });
    EXPECT_GE(compared, 33);
}

TEST(RecordedApplies, ConflictInTheWordsOfTheRealServer) {
    int compared = 0;
    replay("apply.jsonl", [&](const Json& row, const Json& live) {
        const std::string message = string_at(row, "message");
        if (!message.starts_with("Apply failed")) return;
        const auto got = patched(row, live);
        ASSERT_FALSE(got) << row["note"];
        EXPECT_EQ(got.error().message, message);
        EXPECT_EQ(got.error().reason, Reason::conflict);
        ++compared;
    });
    EXPECT_GE(compared, 6);
}

}  // namespace
}  // namespace shed
