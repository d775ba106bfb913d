// Watches: the initial state, changes, selectors, bookmarks, the forms of a frame.
#include "fixture.hpp"

namespace shed::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace std::chrono_literals;

std::vector<std::string> poll_texts(Watch& watch, Time now) {
    std::vector<std::string> texts;
    for (const std::string& frame : watch.poll_frames(now)) {
        EXPECT_EQ(frame.back(), '\n');
        EXPECT_EQ(frame.find('\n'), frame.size() - 1) << "one line per event";
        const Json event = Json::parse(frame);
        texts.push_back(string_at(event, "type") + " " + string_at(event, "object.metadata.name"));
    }
    return texts;
}

Json labelled(const std::string& name, const std::string& set) {
    Json map = config_map(name);
    map["metadata"]["labels"] = {{"set", set}};
    return map;
}

TEST(WatchApi, WithoutAVersionBeginsWithWhatIsThere) {
    Cluster c;
    c.post(maps, config_map("a"));
    for (const char* query : {"?watch=true", "?watch=1&resourceVersion=0"}) {
        auto watch = c.watch(std::string(maps) + query);
        EXPECT_THAT(poll_texts(*watch, c.now), ElementsAre("ADDED a"));
        EXPECT_THAT(poll_texts(*watch, c.now), ElementsAre());
    }
    auto watch = c.watch(std::string(maps) + "?watch=true");
    poll_texts(*watch, c.now);
    c.post(maps, config_map("b"));
    c.merge(std::string(maps) + "/b", {{"data", {{"a", "2"}}}});
    c.remove(std::string(maps) + "/a");
    EXPECT_THAT(poll_texts(*watch, c.now), ElementsAre("ADDED b", "MODIFIED b", "DELETED a"));
}

TEST(WatchApi, FromAVersionTellsOnlyWhatCameAfter) {
    Cluster c;
    c.post(maps, config_map("a"));
    const std::string version = std::to_string(c.store.version());
    c.post(maps, config_map("b"));
    auto watch = c.watch(std::string(maps) + "?watch=1&resourceVersion=" + version);
    EXPECT_THAT(poll_texts(*watch, c.now), ElementsAre("ADDED b"));
}

TEST(WatchApi, SelectorsTurnChangesIntoComingAndGoing) {
    Cluster c;
    c.post(maps, labelled("a", "w"));
    auto watch = c.watch(std::string(maps) + "?watch=1&labelSelector=set%3Dw");
    EXPECT_THAT(poll_texts(*watch, c.now), ElementsAre("ADDED a"));
    c.merge(std::string(maps) + "/a", {{"metadata", {{"labels", {{"set", "x"}}}}}});
    c.merge(std::string(maps) + "/a", {{"data", {{"a", "unseen"}}}});
    c.merge(std::string(maps) + "/a", {{"metadata", {{"labels", {{"set", "w"}}}}}});
    c.post(maps, labelled("other", "x"));
    const auto events = watch->poll(c.now);
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].type, WatchEvent::Type::deleted);
    EXPECT_EQ(events[0].object->label("set"), "w");
    EXPECT_LT(events[0].object->resource_version(), events[1].object->resource_version());
    EXPECT_EQ(events[1].type, WatchEvent::Type::added);
}

TEST(WatchApi, InitialEventsEndWithABookmark) {
    Cluster c;
    c.post(maps, config_map("a"));
    auto watch = c.watch(std::string(maps) +
                         "?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
                         "&allowWatchBookmarks=true");
    const auto frames = watch->poll_frames(c.now);
    ASSERT_EQ(frames.size(), 2u);
    const Json bookmark = Json::parse(frames[1]);
    EXPECT_EQ(string_at(bookmark, "type"), "BOOKMARK");
    EXPECT_EQ(string_at(bookmark, "object.kind"), "ConfigMap");
    EXPECT_EQ(member(at_path(bookmark, "object.metadata.annotations"), "k8s.io/initial-events-end"),
              "true");
    EXPECT_EQ(string_at(bookmark, "object.metadata.resourceVersion"),
              std::to_string(c.store.version()));
}

TEST(WatchApi, BookmarksComeAboutOnceAMinuteAndBeforeTheEnd) {
    Cluster c;
    auto watch = c.watch(std::string(maps) + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=90");
    EXPECT_TRUE(watch->poll(c.now).empty());
    EXPECT_TRUE(watch->poll(c.now + 59s).empty());
    ASSERT_TRUE(watch->next_due());
    EXPECT_EQ(*watch->next_due(), c.now + 60s);
    EXPECT_EQ(watch->poll(c.now + 60s).size(), 1u);
    EXPECT_TRUE(watch->poll(c.now + 61s).empty());
    auto quiet = c.watch(std::string(maps) + "?watch=1");
    EXPECT_TRUE(quiet->poll(c.now + 600s).empty());
    EXPECT_FALSE(quiet->next_due());
}

TEST(WatchApi, TooOldAVersionIsOneErrorEvent) {
    Store store(2);
    Rng rng(1);
    Api api(store, rng);
    for (int i = 0; i < 9; ++i)
        store.put({{"apiVersion", "v1"},
                   {"kind", "ConfigMap"},
                   {"metadata", {{"name", "a"}, {"namespace", "default"}}},
                   {"data", {{"i", std::to_string(i)}}}});
    auto request = parse_path("GET", maps, parse_query("watch=1&resourceVersion=1"));
    auto watch = api.watch(*request, Time{});
    const auto events = (*watch)->poll(Time{});
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].type, WatchEvent::Type::error);
    EXPECT_EQ(string_at(events[0].detail, "message"), "too old resource version: 1 (7)");
    EXPECT_EQ(int_at(events[0].detail, "code"), 410);
    EXPECT_TRUE((*watch)->finished());
    EXPECT_TRUE((*watch)->poll(Time{}).empty());
}

TEST(WatchApi, TableFramesHaveTheirColumnsOnce) {
    Cluster c;
    c.post(maps, config_map("a"));
    c.post(maps, config_map("b"));
    auto watch = c.watch(std::string(maps) + "?watch=1",
                         "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    const auto frames = watch->poll_frames(c.now);
    ASSERT_EQ(frames.size(), 2u);
    const Json first = Json::parse(frames[0]), second = Json::parse(frames[1]);
    EXPECT_EQ(string_at(first, "object.kind"), "Table");
    EXPECT_EQ(at_path(first, "object.columnDefinitions").size(), 3u);
    EXPECT_TRUE(at_path(second, "object.columnDefinitions").is_null());
    EXPECT_EQ(at_path(second, "object.rows")[0]["cells"], Json::array({"b", 1, "0s"}));
}

TEST(WatchApi, ManyEventsComeInPortions) {
    Cluster c;
    for (int i = 0; i < 7; ++i) c.post(maps, config_map("a" + std::to_string(i)));
    auto watch = c.watch(std::string(maps) + "?watch=1");
    c.post(maps, config_map("b"));
    EXPECT_EQ(watch->poll(c.now, 5).size(), 5u);
    EXPECT_EQ(watch->poll(c.now, 5).size(), 3u);
    EXPECT_TRUE(watch->poll(c.now, 5).empty());
}

TEST(List, PagesOverOneConsistentState) {
    Cluster c;
    for (const char* name : {"a", "b", "c", "d", "e"}) c.post(maps, config_map(name));
    const std::string first_version = std::to_string(c.store.version());
    Json page = c.get(std::string(maps) + "?limit=2");
    EXPECT_EQ(int_at(page, "metadata.remainingItemCount"), 3);
    c.remove(std::string(maps) + "/c");
    c.merge(std::string(maps) + "/d", {{"data", {{"a", "changed"}}}});
    c.post(maps, config_map("cc"));
    std::vector<std::string> names;
    for (;;) {
        EXPECT_EQ(string_at(page, "metadata.resourceVersion"), first_version);
        for (const Json& item : page["items"]) {
            names.push_back(string_at(item, "metadata.name"));
            EXPECT_EQ(string_at(item, "data.a"), "1");
            EXPECT_FALSE(item.contains("kind"));
            EXPECT_FALSE(item.contains("apiVersion"));
        }
        const std::string token = string_at(page, "metadata.continue");
        if (token.empty()) break;
        page = c.get(std::string(maps) + "?limit=2&continue=" + token);
    }
    EXPECT_THAT(names, ElementsAre("a", "b", "c", "d", "e"));
}

TEST(List, ItemsOfCustomResourcesCarryTheirKind) {
    Cluster c;
    c.store.put({{"apiVersion", "trainer.kubeflow.org/v1alpha1"},
                 {"kind", "TrainJob"},
                 {"metadata", {{"name", "t"}, {"namespace", "default"}}}});
    const Json list = c.get("/apis/trainer.kubeflow.org/v1alpha1/namespaces/default/trainjobs");
    EXPECT_EQ(string_at(list["items"][0], "kind"), "TrainJob");
    EXPECT_EQ(string_at(list["items"][0], "apiVersion"), "trainer.kubeflow.org/v1alpha1");
    EXPECT_EQ(list["metadata"]["continue"], "");
}

TEST(List, AnEmptyListHasAnArrayOfItems) {
    Cluster c;
    EXPECT_EQ(c.get("/api/v1/pods")["items"], Json::array());
    EXPECT_EQ(c.get("/api/v1/namespaces/nons/pods")["items"], Json::array());
}

}  // namespace
}  // namespace shed::test
