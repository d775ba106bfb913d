// What a peer may send before anyone knows who it is.
#include "tests/net/peer.hpp"

#include <gmock/gmock.h>

namespace shed {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string get = "GET /a HTTP/1.1\r\nHost: localhost\r\n";
const std::string post_chunked = "POST /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n";

TEST_F(ServerTest, Answers) {
    serve();
    EXPECT_THAT(exchange(get + "Connection: close\r\n\r\n"), HasSubstr("\r\n\r\nGET /a []"));
    EXPECT_THAT(exchange(post_chunked + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), HasSubstr("POST /a [abcde]"));
}

TEST_F(ServerTest, RefusesHeadsThatAreTooLarge) {
    serve();
    const std::string field(70'000, 'x');
    EXPECT_THAT(exchange(get + "X: " + field + "\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(exchange(get + field + ": x\r\n\r\n"), StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(exchange("GET /" + field), StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(exchange(get + "Connection: close\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, TakesHeadsUpToItsLimit) {
    serve();
    const std::string field(60'000, 'x');
    EXPECT_THAT(exchange(get + "Connection: close\r\nX: " + field + "\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, RefusesTrailersAndExtensionsWithoutBound) {
    serve();
    const std::string field(70'000, 'x');
    EXPECT_THAT(exchange(post_chunked + "0\r\nX: " + field + "\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    EXPECT_THAT(exchange(post_chunked + "1;" + field + "\r\na\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
    std::string many;
    for (int i = 0; i < 100; ++i) many += "1;" + std::string(1000, 'x') + "\r\na\r\n";
    EXPECT_THAT(exchange(post_chunked + many + "0\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
}

TEST_F(ServerTest, TakesNothingOfTrailers) {
    std::string seen;
    serve({}, [&](HttpRequest request, HttpReply& reply) -> asio::awaitable<void> {
        seen = request.header("authorization");
        return echo(std::move(request), reply);
    });
    EXPECT_THAT(exchange(post_chunked + "1\r\na\r\n0\r\nAuthorization: x\r\n\r\n"), HasSubstr("POST /a [a]"));
    EXPECT_EQ(seen, "");
}

TEST_F(ServerTest, RefusesWhatOthersMightReadDifferently) {
    serve();
    const std::string post = "POST /a HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n";
    for (const std::string& head :
         {post + "Transfer-Encoding: gzip\r\n", post + "Transfer-Encoding: gzip, chunked\r\n",
          post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
          post + "Content-Length: 0\r\nTransfer-Encoding: x\r\n", post + "Host: localhost\r\n",
          post + "X: a\r\n b\r\n", post + "X: a\r\n\tb\r\n",
          std::string("POST /a HTTP/1.1\r\n X: a\r\nHost: localhost\r\n"), std::string("GET /a HTTP/1.1\r\nX: a\r\n"),
          std::string("POST /a HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n")})
        EXPECT_THAT(exchange(head + "\r\n"), StartsWith("HTTP/1.1 400 ")) << head;
    // A body may look like a folded head.
    EXPECT_THAT(exchange(post + "Content-Length: 5\r\n\r\n\r\n \r\n"), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(exchange("GET /a HTTP/1.0\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, SendsOnlyTheHeadToHead) {
    bool more = true;
    serve({}, [&more](HttpRequest, HttpReply& reply) -> asio::awaitable<void> {
        HttpResponse head;
        std::string text = "text";
        more = co_await reply.begin(std::move(head));
        co_await reply.write(std::move(text));
    });
    const std::string answer = exchange("HEAD /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 "));
    EXPECT_EQ(answer.substr(answer.find("\r\n\r\n")), "\r\n\r\n");
    EXPECT_FALSE(more);
}

TEST_F(ServerTest, TurnsAwayWhoIsTooMany) {
    HttpLimits limits;
    limits.connections_max = 2;
    serve(limits);
    auto one = std::make_unique<Peer>(io);
    Peer two(io);
    run([&]() -> asio::awaitable<void> {
        co_await one->connect(port);
        co_await two.connect(port);
    }());
    const std::string refused = exchange(get + "\r\n");
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 429 "));
    EXPECT_THAT(refused, HasSubstr("too many connections: this server takes 2"));
    one.reset();
    run_until([&] { return server->connections() == 1; });
    EXPECT_THAT(exchange(get + "Connection: close\r\n\r\n"), StartsWith("HTTP/1.1 200 "));
}

// A handler that streams until its peer has gone.
asio::awaitable<void> stream_on(HttpRequest, HttpReply& reply) {
    asio::steady_timer wake(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
    HttpResponse head;
    co_await reply.begin(std::move(head));
    reply.on_gone([&] { wake.cancel(); });
    co_await wake.async_wait(nothrow);
    reply.on_gone(nullptr);
}

// Connections at every stage: while their head is read, while they stream, between two requests.
struct OpenPeers {
    explicit OpenPeers(asio::io_context& io) : reading(io), streaming(io), idle(io) {}
    asio::awaitable<void> open(std::uint16_t port) {
        std::string half = get, whole = get + "\r\n";
        co_await reading.connect(port);
        co_await reading.send(std::move(half));
        co_await streaming.connect(port);
        co_await streaming.send(whole);
        co_await streaming.receive("\r\n\r\n");
        co_await idle.connect(port);
    }
    Peer reading, streaming, idle;
};

TEST_F(ServerTest, MayBeDestroyedWithOpenConnections) {
    serve({}, stream_on);
    OpenPeers peers(io);
    run(peers.open(port));
    EXPECT_EQ(server->connections(), 3U);
    server.reset();
    run(peers.streaming.receive(""));
    run(peers.reading.receive(""));
    io.restart();
    io.run();  // Runs empty: nothing waits for what is gone.
}

TEST_F(ServerTest, MayBeDestroyedBeforeItsLoopGoesOn) {
    serve({}, stream_on);
    {
        OpenPeers peers(io);
        run(peers.open(port));
    }
    server.reset();
}

}  // namespace
}  // namespace shed
