#pragma once
// Both ends of a stream without a network: a client that says what a test wrote down, and a command
// that does what it is told.
#include "fakes/streams/streams.hpp"

#include <gtest/gtest.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstring>
#include <deque>

namespace shed::test {

namespace asio = boost::asio;

// What both kinds of upgraded connection do here: `said` comes message by message, then the client
// waits until it is closed, or goes when `leaves`.
struct Line {
    explicit Line(asio::any_io_executor executor)
        : closed_timer(executor, asio::steady_timer::time_point::max()) {}
    std::deque<std::string> said;
    std::vector<std::string> heard;
    std::size_t taken = 0;  // bytes of `said` that were read
    bool leaves = false, stuck = false, gone = false, closed = false, shut = false;
    asio::steady_timer closed_timer;  // cancelled when any of it has changed

    asio::awaitable<void> wait_for_close() {
        while (!closed && !leaves)
            co_await closed_timer.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    asio::awaitable<bool> hear(std::string_view bytes) {
        if (stuck) co_await wait_for_close();  // a client that does not read
        if (closed) co_return false;
        heard.emplace_back(bytes);
        co_return true;
    }
    // Bytes of the message at the front.
    asio::awaitable<std::size_t> take(char* into, std::size_t size) {
        co_await asio::post(closed_timer.get_executor(), asio::use_awaitable);
        while (said.empty() && !closed && !leaves)
            co_await closed_timer.async_wait(asio::as_tuple(asio::use_awaitable));
        if (said.empty() || closed) co_return 0;
        const std::size_t count = std::min(size, said.front().size());
        std::memcpy(into, said.front().data(), count);
        said.front().erase(0, count);
        taken += count;
        co_return count;
    }
    void close() {
        closed = true;
        closed_timer.cancel();
    }
};

struct FakeBytes final : ByteStream {
    explicit FakeBytes(std::shared_ptr<Line> l) : line(std::move(l)) {}
    asio::awaitable<std::size_t> read_some(char* into, std::size_t size) override {
        const std::size_t count = co_await line->take(into, size);
        if (!line->said.empty() && line->said.front().empty()) line->said.pop_front();
        co_return count;
    }
    asio::awaitable<bool> write(std::string_view bytes) override { return line->hear(bytes); }
    bool peer_closed() const override { return line->gone; }
    void close() override { line->close(); }
    std::shared_ptr<Line> line;
};

struct FakeSocket final : WebSocket {
    explicit FakeSocket(std::shared_ptr<Line> l) : line(std::move(l)) {}
    asio::awaitable<Piece> read_some(char* into, std::size_t size) override {
        Piece piece;
        piece.first = at_start;
        piece.size = co_await line->take(into, size);
        piece.gone = piece.size == 0;
        piece.last = !line->said.empty() && line->said.front().empty();
        if (piece.last) line->said.pop_front();
        at_start = piece.last;
        co_return piece;
    }
    asio::awaitable<bool> write(std::string_view bytes) override { return line->hear(bytes); }
    asio::awaitable<bool> write_text(std::string_view bytes) override { return line->hear(bytes); }
    asio::awaitable<void> shut(std::string_view) override {
        line->shut = true;
        line->close();
        co_return;
    }
    bool peer_closed() const override { return line->gone; }
    void close() override { line->close(); }
    std::shared_ptr<Line> line;
    bool at_start = true;
};

struct FakeReply final : HttpReply {
    explicit FakeReply(asio::any_io_executor executor) : line(std::make_shared<Line>(executor)) {}
    asio::awaitable<bool> send(HttpResponse response) override {
        answer = std::move(response);
        co_return true;
    }
    asio::awaitable<bool> begin(HttpResponse) override { co_return false; }
    asio::awaitable<bool> write(std::string) override { co_return false; }
    asio::awaitable<void> end() override { co_return; }
    void on_gone(std::function<void()>) override {}
    asio::awaitable<std::shared_ptr<ByteStream>> upgrade(HttpResponse head) override {
        for (const auto& [name, value] : head.headers)
            if (name == "X-Stream-Protocol-Version") protocol = value;
        co_return std::make_shared<FakeBytes>(line);
    }
    asio::awaitable<std::shared_ptr<WebSocket>> accept_websocket(const HttpRequest&,
                                                                 std::string chosen) override {
        protocol = std::move(chosen);
        co_return std::make_shared<FakeSocket>(line);
    }
    std::optional<HttpResponse> answer;
    std::optional<std::string> protocol;
    std::shared_ptr<Line> line;
};

// Gives back what it is given, in capital letters on stderr; ends with `code` when its input does.
struct FakeCommand final : RemoteCommand {
    explicit FakeCommand(asio::any_io_executor executor)
        : news(executor, asio::steady_timer::time_point::max()) {}
    asio::awaitable<void> wait() { co_await news.async_wait(asio::as_tuple(asio::use_awaitable)); }
    asio::awaitable<std::string> read(Output which) override {
        std::string& from = which == Output::out ? out : err;
        ++reads;
        if (endless) co_return std::string(1000, 'x');
        while (from.empty() && !ended && !closed) co_await wait();
        co_return std::exchange(from, std::string());
    }
    asio::awaitable<bool> write(std::string_view input) override {
        while (deaf && !closed) co_await wait();
        out += input;
        for (const char c : input)
            err += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        news.cancel();
        co_return !closed;
    }
    void end_input() override {
        ended = true;
        news.cancel();
    }
    void resize(TerminalSize size) override { sizes.emplace_back(size.width, size.height); }
    asio::awaitable<Result<int>> exit_code() override {
        while (!ended && !closed) co_await wait();
        co_return code;
    }
    void close() override {
        closed = true;
        news.cancel();
    }

    std::string out, err;
    std::vector<std::pair<int, int>> sizes;
    int code = 0, reads = 0;
    bool ended = false, closed = false, deaf = false, endless = false;
    asio::steady_timer news;
};

inline HttpRequest websocket_request(const std::string& protocol) {
    HttpRequest request;
    request.method = "GET";
    request.headers = {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}};
    if (!protocol.empty()) request.headers.emplace_back("Sec-WebSocket-Protocol", protocol);
    return request;
}

inline HttpRequest spdy_request(const std::vector<std::string>& protocols) {
    HttpRequest request;
    request.method = "POST";
    request.headers = {{"Connection", "Upgrade"}, {"Upgrade", "SPDY/3.1"}};
    for (const std::string& protocol : protocols)
        request.headers.emplace_back("X-Stream-Protocol-Version", protocol);
    return request;
}

}  // namespace shed::test
