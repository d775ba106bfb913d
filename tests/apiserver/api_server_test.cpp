// The API server over TLS: what happens to streams whose reader, or whose server, goes.
#include "tests/apiserver/served_api.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

using ::testing::HasSubstr;

// Says "first" and then nothing for ever.
class SilentLogs final : public PodLogs {
public:
    explicit SilentLogs(asio::io_context& io) : io_(io) {}

    class Silence final : public Stream {
    public:
        explicit Silence(SilentLogs& logs) : logs_(logs), never_(logs.io_, asio::steady_timer::time_point::max()) {
            ++logs_.open_streams;
        }
        ~Silence() override { --logs_.open_streams; }
        asio::awaitable<Result<std::string>> read() override {
            if (!std::exchange(said_, true)) co_return "first\n";
            co_await never_.async_wait(nothrow);
            co_return std::string();
        }

    private:
        SilentLogs& logs_;
        asio::steady_timer never_;
        bool said_ = false;
    };

    std::unique_ptr<Stream> open(const Query&) override { return std::make_unique<Silence>(*this); }
    std::vector<ObjectPtr> gone_pods(const std::string&) override { return {}; }
    Json attempts(const Object&) override { return Json::array(); }

    int open_streams = 0;

private:
    asio::io_context& io_;
};

class ApiServerTest : public ServedApi {
protected:
    void SetUp() override {
        const Json status = {{"name", "main"}, {"restartCount", 0}, {"state", {{"running", Json::object()}}}};
        store.put({{"apiVersion", "v1"},
                   {"kind", "Pod"},
                   {"metadata", {{"name", "p"}, {"namespace", "default"}, {"uid", "1"}}},
                   {"spec", {{"nodeName", "n"}, {"containers", Json::array({Json{{"name", "main"}}})}}},
                   {"status", {{"containerStatuses", Json::array({status})}}}});
        serve_api(logs);
    }
    asio::awaitable<void> ask(Peer& peer, std::string path, std::string until) {
        std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer token\r\n\r\n";
        co_await peer.connect(port);
        co_await peer.send(std::move(request));
        co_await peer.receive(std::move(until));
    }

    SilentLogs logs{io};
};

const std::string log_path = "/api/v1/namespaces/default/pods/p/log?follow=true";

TEST_F(ApiServerTest, LetsGoOfASilentLogWhenItsReaderLeaves) {
    auto reader = std::make_unique<Peer>(io);
    run(ask(*reader, log_path, "first\n"));
    EXPECT_THAT(reader->received, HasSubstr("first\n"));
    EXPECT_EQ(logs.open_streams, 1);
    reader.reset();
    run_until([this] { return logs.open_streams == 0; });
}

TEST_F(ApiServerTest, MayBeDestroyedWithOpenStreams) {
    Peer reader(io), watcher(io);
    run(ask(reader, log_path, "first\n"));
    run(ask(watcher, "/api/v1/namespaces?watch=true&timeoutSeconds=9223372036854775807", "\r\n\r\n"));
    api_server.reset();
    run_until([this] { return logs.open_streams == 0; });
    io.restart();
    io.run();
}

TEST_F(ApiServerTest, WatchesForAsLongAsSomeoneCouldMean) {
    Peer watcher(io);
    run(ask(watcher, "/api/v1/pods?watch=true&timeoutSeconds=9223372036854775807", "\"ADDED\""));
    store.put({{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", {{"name", "q"}, {"namespace", "default"}, {"uid", "2"}}}});
    run(watcher.receive("\"q\""));
    EXPECT_THAT(watcher.received, HasSubstr("\"q\""));
}

}  // namespace
}  // namespace shed
