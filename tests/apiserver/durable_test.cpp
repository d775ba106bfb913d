// Nobody is shown what is not durable: answers, reads and watches wait for the journal.
#include "tests/apiserver/served_api.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace shed {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// The test says what becomes of a change.
class PlayedJournal final : public Journal {
public:
    void append(const StoreEvent&) override { ++appended; }
    int appended = 0;
};

class NoLogs final : public PodLogs {
public:
    std::unique_ptr<Stream> open(const Query&) override { return nullptr; }
    std::vector<ObjectPtr> gone_pods(const std::string&) override { return {}; }
    Json attempts(const Object&) override { return Json::array(); }
};

class DurableTest : public ServedApi {
protected:
    void SetUp() override {
        store.begin_with({}, 7, journal);
        store.put(
            {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "default"}}}});
        store.settle(store.version());
        serve_api(logs);
    }
    asio::awaitable<void> send(Peer& peer, std::string first_line, std::string body) {
        std::string request =
            first_line + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token\r\n";
        request +=
            "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body;
        const bool connected = co_await peer.connect(port);
        EXPECT_TRUE(connected);
        co_await peer.send(std::move(request));
    }
    // Sends it, and returns when the server, which has one thread, has looked at it and at whatever
    // came of it: a later request on a connection of its own has been answered.
    void ask(Peer& peer, std::string first_line, std::string body = "") {
        run(send(peer, std::move(first_line), std::move(body)));
        Peer later(io);
        run(send(later, "GET /healthz", ""));
        run(later.receive("\r\n\r\nok"));
        EXPECT_THAT(later.received, HasSubstr("ok"));
    }
    void create(Peer& peer, const std::string& name) {
        const Json object = {
            {"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}};
        ask(peer, "POST /api/v1/namespaces/default/configmaps", object.dump());
        EXPECT_FALSE(store.all_durable());
    }

    PlayedJournal journal;
    NoLogs logs;
};

const Error disk_error{Reason::internal, "the disk failed"};

const std::string config_maps = "/api/v1/namespaces/default/configmaps";

TEST_F(DurableTest, AWriteIsAnsweredOnceItIsDurable) {
    Peer writer(io);
    create(writer, "a");
    store.settle(store.version());
    run(writer.receive("\"resourceVersion\":\"9\""));
    EXPECT_THAT(writer.received, HasSubstr("HTTP/1.1 201"));
}

TEST_F(DurableTest, AWriteThatIsLostIsAnError) {
    Peer writer(io);
    create(writer, "a");
    store.roll_back(disk_error);
    run(writer.receive("\"code\":500"));
    EXPECT_THAT(writer.received, HasSubstr("HTTP/1.1 500"));
    EXPECT_THAT(writer.received, HasSubstr("the disk failed"));
    EXPECT_EQ(store.version(), 8u);
}

TEST_F(DurableTest, AReadIsMadeAgainWhenWhatItShowedIsLost) {
    Peer writer(io), reader(io);
    create(writer, "a");
    ask(reader, "GET " + config_maps + "/a");
    store.roll_back(disk_error);
    run(reader.receive("\"code\":404"));
    EXPECT_THAT(reader.received, HasSubstr("HTTP/1.1 404"));
}

TEST_F(DurableTest, AWatchShowsWhatIsDurable) {
    Peer watcher(io), writer(io);
    ask(watcher, "GET " + config_maps + "?watch=true&resourceVersion=8");
    run(watcher.receive("\r\n\r\n"));
    create(writer, "a");
    store.settle(store.version());
    run(watcher.receive("ADDED"));
    EXPECT_THAT(watcher.received, HasSubstr("ADDED"));
}

TEST_F(DurableTest, AWatchEndsInsteadOfShowingWhatIsLost) {
    Peer watcher(io), writer(io);
    ask(watcher, "GET " + config_maps + "?watch=true&resourceVersion=8");
    run(watcher.receive("\r\n\r\n"));
    create(writer, "a");
    store.roll_back(disk_error);
    run(watcher.receive("\r\n0\r\n\r\n"));
    EXPECT_THAT(watcher.received, Not(HasSubstr("ADDED")));
}

TEST_F(DurableTest, AFullDiskTakesDeletionsOnly) {
    store.put({{"apiVersion", "v1"},
               {"kind", "ConfigMap"},
               {"metadata", {{"name", "old"}, {"namespace", "default"}}}});
    store.settle(store.version());
    store.set_full(Error{Reason::internal, "the disk is full"});
    Peer creator(io), patcher(io), reader(io), remover(io);
    ask(creator, "POST " + config_maps, R"({"metadata": {"name": "new"}})");
    run(creator.receive("\"code\":500"));
    EXPECT_THAT(creator.received, HasSubstr("the disk is full"));
    ask(patcher, "PUT " + config_maps + "/old",
        R"({"metadata": {"name": "old"}, "data": {"a": "1"}})");
    run(patcher.receive("\"code\":500"));
    ask(reader, "GET " + config_maps + "/old");
    run(reader.receive("\"old\""));
    EXPECT_THAT(reader.received, HasSubstr("HTTP/1.1 200"));
    ask(remover, "DELETE " + config_maps + "/old");
    store.settle(store.version());
    run(remover.receive("\"Success\""));
    EXPECT_THAT(remover.received, HasSubstr("HTTP/1.1 200"));
}

}  // namespace
}  // namespace shed
