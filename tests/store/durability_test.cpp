// What the store knows of its journal: what is durable, who waits, and what is undone.
#include "fakes/store/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using ::testing::ElementsAre;
using Type = StoreEvent::Type;

const Kind& config_maps = kind_of("v1", "ConfigMap");
const Error disk_error{Reason::internal, "the disk failed"};

Json config_map(const std::string& name, const std::string& value, const std::string& owner = "") {
    Json metadata = {{"name", name}, {"namespace", "default"}, {"uid", "uid-" + name}};
    if (!owner.empty()) {
        const Json reference = {
            {"apiVersion", "batch/v1"}, {"kind", "Job"}, {"name", "j"}, {"uid", owner}};
        metadata["ownerReferences"] = Json::array({reference});
    }
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", std::move(metadata)},
            {"data", {{"a", value}}}};
}

Key key_of(const std::string& name) { return {&config_maps, "default", name}; }

class NotingJournal final : public Journal {
public:
    void append(const StoreEvent& event) override { versions.push_back(event.version()); }
    std::vector<ResourceVersion> versions;
};

struct Journaled : ::testing::Test {
    Journaled() {
        Json old = config_map("old", "1", "owner-1");
        old["metadata"]["resourceVersion"] = "5";
        store.begin_with({Object::make(std::move(old))}, 9, journal);
    }
    std::string value_of(const std::string& name) const {
        const ObjectPtr found = store.find(key_of(name));
        return found ? string_at(found->dom(), "data.a") : "absent";
    }
    std::vector<Type> events_after(ResourceVersion since) const {
        std::vector<Type> types;
        for (const StoreEvent& event : store.events_since(config_maps, since, 100).events)
            types.push_back(event.type);
        return types;
    }
    NotingJournal journal;
    Store store;
};

TEST_F(Journaled, GoesOnFromWhatWasKept) {
    EXPECT_EQ(value_of("old"), "1");
    EXPECT_EQ(store.find_by_uid("uid-old"), store.find(key_of("old")));
    EXPECT_EQ(store.list_owned_by("owner-1").size(), 1u);
    EXPECT_TRUE(store.all_durable());
    EXPECT_EQ(store.put(config_map("new", "1"))->resource_version(), 10u);
    EXPECT_FALSE(store.all_durable());
    EXPECT_THAT(journal.versions, ElementsAre(10u));
    EXPECT_TRUE(store.events_since(config_maps, 8, 1).too_old);
    EXPECT_THAT(events_after(9), ElementsAre(Type::added));
}

TEST_F(Journaled, TellsWhoWaitsForAVersion) {
    store.put(config_map("a", "1"));
    std::vector<std::string> told;
    const auto noting = [&](const char* name) {
        return [&told, name](const std::optional<Error>& lost) {
            told.push_back(std::string(name) + (lost ? " lost" : " durable"));
        };
    };
    const Store::Wait first = store.when_settled(store.version(), noting("first"));
    store.put(config_map("a", "2"));
    const Store::Wait second = store.when_settled(store.version(), noting("second"));
    { const Store::Wait gone = store.when_settled(store.version(), noting("gone")); }
    store.settle(10);
    EXPECT_THAT(told, ElementsAre("first durable"));
    EXPECT_FALSE(store.all_durable());
    store.roll_back(disk_error);
    EXPECT_THAT(told, ElementsAre("first durable", "second lost"));
    EXPECT_EQ(value_of("a"), "1");
}

TEST_F(Journaled, UndoesWhatIsNotDurable) {
    store.put(config_map("kept", "1"));
    store.settle(10);
    store.put(config_map("kept", "2"));
    store.put(config_map("new", "1", "owner-2"));
    store.put(config_map("old", "2", "owner-2"));
    store.remove(key_of("old"));
    store.put(config_map("new", "2"));
    store.roll_back(disk_error);

    EXPECT_EQ(store.version(), 10u);
    EXPECT_TRUE(store.all_durable());
    EXPECT_EQ(value_of("kept"), "1");
    EXPECT_EQ(value_of("new"), "absent");
    EXPECT_EQ(value_of("old"), "1");
    EXPECT_EQ(store.size(), 2u);
    EXPECT_EQ(store.find_by_uid("uid-new"), nullptr);
    EXPECT_EQ(store.find_by_uid("uid-old"), store.find(key_of("old")));
    EXPECT_TRUE(store.list_owned_by("owner-2").empty());
    EXPECT_EQ(store.list_owned_by("owner-1").size(), 1u);
    EXPECT_THAT(events_after(9), ElementsAre(Type::added));
    // The versions are given again: nobody was shown them.
    EXPECT_EQ(store.put(config_map("next", "1"))->resource_version(), 11u);
}

TEST_F(Journaled, AWaitMayEndAfterTheStore) {
    auto brief = std::make_unique<Store>();
    brief->begin_with({}, 0, journal);
    brief->put(config_map("a", "1"));
    const Store::Wait wait = brief->when_settled(1, [](const std::optional<Error>&) {});
    brief.reset();
}

TEST(Unjournaled, EverythingIsDurableAtOnce) {
    Store store;
    store.put(config_map("a", "1"));
    EXPECT_TRUE(store.all_durable());
    EXPECT_EQ(store.durable(), 1u);
}

}  // namespace
}  // namespace shed
