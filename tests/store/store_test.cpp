// The store keeps objects, their history and their indexes.
#include "fakes/store/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using ::testing::ElementsAre;
using Type = StoreEvent::Type;

const Kind& config_maps = kind_of("v1", "ConfigMap");
const Kind& pods = kind_of("v1", "Pod");

Json config_map(std::string name, std::string value = "1", std::string ns = "default") {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"namespace", ns}, {"uid", "uid-" + name}}},
            {"data", {{"a", value}}}};
}

Json owned_pod(std::string name, std::string owner) {
    Json reference = {
        {"apiVersion", "batch/v1"}, {"kind", "Job"}, {"name", "j"}, {"uid", owner}};
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata",
             {{"name", name},
              {"namespace", "default"},
              {"uid", "uid-" + name},
              {"ownerReferences", Json::array({reference})}}}};
}

std::vector<std::string> names(const std::vector<ObjectPtr>& objects) {
    std::vector<std::string> result;
    for (const ObjectPtr& object : objects) result.push_back(object->name());
    return result;
}

TEST(Store, StampsOneVersionAcrossKinds) {
    Store store;
    EXPECT_EQ(store.put(config_map("a"))->resource_version(), 1u);
    EXPECT_EQ(store.put(owned_pod("p", "u"))->resource_version(), 2u);
    EXPECT_EQ(store.version(), 2u);
    EXPECT_EQ(string_at(store.find({&pods, "default", "p"})->dom(), "metadata.resourceVersion"),
              "2");
}

TEST(Store, ListsInNameOrderWithinANamespaceOrOverAll) {
    Store store;
    for (const auto& [name, ns] : {std::pair{"b", "x"}, {"a", "y"}, {"c", "x"}, {"a", "x"}})
        store.put(config_map(name, "1", ns));
    EXPECT_THAT(names(store.list(config_maps, "x")), ElementsAre("a", "b", "c"));
    EXPECT_THAT(names(store.list(config_maps)), ElementsAre("a", "b", "c", "a"));
    EXPECT_TRUE(store.list(config_maps, "xx").empty());
    EXPECT_EQ(store.size(), 4u);
}

TEST(Store, ADeletedEventCarriesTheLastStateWithItsOwnVersion) {
    Store store;
    store.put(config_map("a", "1"));
    store.put(config_map("a", "2"));
    const ObjectPtr last = store.remove({&config_maps, "default", "a"});
    ASSERT_NE(last, nullptr);
    EXPECT_EQ(last->resource_version(), 3u);
    EXPECT_EQ(string_at(last->dom(), "data.a"), "2");
    EXPECT_EQ(store.find({&config_maps, "default", "a"}), nullptr);
    EXPECT_EQ(store.remove({&config_maps, "default", "a"}), nullptr);

    const Store::Events events = store.events_since(config_maps, 0, 10);
    ASSERT_EQ(events.events.size(), 3u);
    EXPECT_EQ(events.events[0].type, Type::added);
    EXPECT_EQ(events.events[0].previous, nullptr);
    EXPECT_EQ(events.events[1].type, Type::modified);
    EXPECT_EQ(string_at(events.events[1].previous->dom(), "data.a"), "1");
    EXPECT_EQ(events.events[2].type, Type::deleted);
    EXPECT_EQ(events.events[2].version(), 3u);
}

TEST(Store, EventsStartAfterTheAskedVersionAndStopAtTheMaximum) {
    Store store;
    for (const char* name : {"a", "b", "c", "d"}) store.put(config_map(name));
    const Store::Events events = store.events_since(config_maps, 1, 2);
    ASSERT_EQ(events.events.size(), 2u);
    EXPECT_EQ(events.events[0].object->name(), "b");
    EXPECT_EQ(events.events[1].object->name(), "c");
    EXPECT_TRUE(store.events_since(config_maps, 99, 2).events.empty());
}

TEST(Store, ForgetsTheOldestEventsOfOneKindAlone) {
    Store store(3);
    store.put(owned_pod("p", "u"));
    for (int i = 0; i < 5; ++i) store.put(config_map("a", std::to_string(i)));
    EXPECT_TRUE(store.events_since(config_maps, 2, 10).too_old);
    EXPECT_FALSE(store.events_since(config_maps, 3, 10).too_old);
    EXPECT_EQ(store.events_since(config_maps, 3, 10).events.size(), 3u);
    EXPECT_FALSE(store.events_since(pods, 0, 10).too_old);
    EXPECT_EQ(store.oldest_event(), 3u);
}

TEST(Store, FindsByUidAndByOwner) {
    Store store;
    store.put(owned_pod("p1", "job-uid"));
    store.put(owned_pod("p2", "job-uid"));
    EXPECT_EQ(store.find_by_uid("uid-p1")->name(), "p1");
    EXPECT_THAT(names(store.list_owned_by("job-uid")), ElementsAre("p1", "p2"));

    store.put(owned_pod("p1", "other"));
    EXPECT_THAT(names(store.list_owned_by("job-uid")), ElementsAre("p2"));
    store.remove({&pods, "default", "p2"});
    EXPECT_TRUE(store.list_owned_by("job-uid").empty());
    EXPECT_EQ(store.find_by_uid("uid-p2"), nullptr);
}

TEST(Store, BothEventKindsAreOneStorage) {
    Store store;
    const Kind& old_style = kind_of("v1", "Event");
    const Kind& new_style = kind_of("events.k8s.io/v1", "Event");
    store.put({{"apiVersion", "v1"},
               {"kind", "Event"},
               {"metadata", {{"name", "e"}, {"namespace", "default"}}}});
    EXPECT_NE(store.find({&new_style, "default", "e"}), nullptr);
    EXPECT_EQ(store.list(new_style).size(), store.list(old_style).size());
    EXPECT_EQ(store.events_since(new_style, 0, 10).events.size(), 1u);
}

TEST(Store, TellsListenersOnceAndNotAfterTheyLeft) {
    Store store;
    int calls = 0;
    {
        const Store::Subscription one = store.subscribe([&](const StoreEvent&) { ++calls; });
        store.put(config_map("a"));
        EXPECT_EQ(calls, 1);
    }
    store.put(config_map("b"));
    EXPECT_EQ(calls, 1);
}

TEST(Store, AListenerMayUnsubscribeWhileItIsCalled) {
    Store store;
    int calls = 0;
    Store::Subscription mine;
    mine = store.subscribe([&](const StoreEvent&) {
        ++calls;
        mine = Store::Subscription();
    });
    store.put(config_map("a"));
    store.put(config_map("b"));
    EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace shed
