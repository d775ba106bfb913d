#pragma once
// An HTTPS server on a free port and raw peers of it, which send what they like.
#include "fakes/net/http_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

namespace shed {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);

inline Time wall_now() { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

// One TLS connection, driven by hand. Certificates are not its subject.
struct Peer {
    explicit Peer(asio::io_context& io) : stream(io, context) {}

    asio::awaitable<bool> connect(std::uint16_t port) {
        const tcp::endpoint there(asio::ip::make_address("127.0.0.1"), port);
        auto [refused] = co_await stream.lowest_layer().async_connect(there, nothrow);
        if (refused) co_return false;
        auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::client, nothrow);
        co_return !failed;
    }
    // False when the other side stopped listening.
    asio::awaitable<bool> send(std::string bytes) {
        auto [error, size] = co_await asio::async_write(stream, asio::buffer(bytes), nothrow);
        (void)size;
        co_return !error;
    }
    // Until `end` stands in what was received, or the other side closes.
    asio::awaitable<void> receive(std::string end) {
        while (end.empty() || received.find(end) == std::string::npos) {
            char piece[4096];
            auto [error, size] = co_await stream.async_read_some(asio::buffer(piece), nothrow);
            if (error) co_return;
            received.append(piece, size);
        }
    }

    asio::ssl::context context{asio::ssl::context::tls_client};
    asio::ssl::stream<tcp::socket> stream;
    std::string received;
};

class ServerTest : public ::testing::Test {
protected:
    // Answers 200 with the method, the target and the body.
    static asio::awaitable<void> echo(HttpRequest request, HttpReply& reply) {
        HttpResponse response;
        response.body = request.method + " " + request.target + " [" + request.body + "]";
        co_await reply.send(std::move(response));
    }

    void serve(HttpLimits limits = {}, HttpHandler handler = echo) {
        server = std::make_unique<HttpServer>(io.get_executor(), identity, limits, std::move(handler));
        const auto bound = server->listen("127.0.0.1", 0);
        ASSERT_TRUE(bound);
        port = *bound;
    }
    // Runs `task` to its end in the server's loop. What a connection throws out of it fails the test.
    void run(asio::awaitable<void> task) {
        bool ended = false;
        asio::co_spawn(io, std::move(task), [&](std::exception_ptr error) {
            ended = true;
            EXPECT_FALSE(error);
        });
        run_until([&] { return ended; });
    }
    void run_until(const std::function<bool()>& ended) {
        const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(20);
        while (!ended() && std::chrono::steady_clock::now() < late)
            ASSERT_NO_THROW(io.run_one_for(std::chrono::seconds(1)));
        EXPECT_TRUE(ended()) << "still waiting";
    }
    // Sends the bytes and returns all that comes back until the server closes.
    std::string exchange(std::string bytes) {
        const auto peer = std::make_shared<Peer>(io);
        run(exchange_as(peer, std::move(bytes)));
        return peer->received;
    }
    asio::awaitable<void> exchange_as(std::shared_ptr<Peer> peer, std::string bytes) {
        const bool connected = co_await peer->connect(port);
        EXPECT_TRUE(connected);
        co_await peer->send(std::move(bytes));
        co_await peer->receive("");
    }

    asio::io_context io{1};
    TlsIdentity identity = make_tls_identity(wall_now());
    std::unique_ptr<HttpServer> server;
    std::uint16_t port = 0;
};

}  // namespace shed
