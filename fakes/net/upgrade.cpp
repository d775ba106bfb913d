#include "fakes/net/turns.hpp"
#include "fakes/net/upgrade_internal.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <cstring>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

namespace shed {

namespace {

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
constexpr auto closing_time = std::chrono::seconds(5);

bool has_peer_closed(TlsStream& stream) {
    auto& socket = beast::get_lowest_layer(stream).socket();
    tcp_info info{};
    socklen_t size = sizeof info;
    if (!socket.is_open() ||
        ::getsockopt(socket.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return true;
    return info.tcpi_state != TCP_ESTABLISHED;
}

void close_socket(TlsStream& stream) {
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream).socket().close(ignored);
}

class TlsBytes final : public ByteStream {
public:
    TlsBytes(std::shared_ptr<TlsStream> stream, std::string early)
        : stream_(std::move(stream)), early_(std::move(early)), turns_(stream_->get_executor()) {}

    asio::awaitable<std::size_t> read_some(char* into, std::size_t size) override {
        if (!early_.empty()) {
            const std::size_t count = std::min(size, early_.size());
            std::memcpy(into, early_.data(), count);
            early_.erase(0, count);
            co_return count;
        }
        auto [error, count] = co_await stream_->async_read_some(asio::buffer(into, size), nothrow);
        co_return error ? 0 : count;
    }

    asio::awaitable<bool> write(std::string_view bytes) override {
        const Turns::Pass turn = co_await turns_.take();
        auto [error, count] = co_await asio::async_write(*stream_, asio::buffer(bytes), nothrow);
        (void)count;
        co_return !error;
    }

    bool peer_closed() const override { return has_peer_closed(*stream_); }
    void close() override { close_socket(*stream_); }

private:
    std::shared_ptr<TlsStream> stream_;
    std::string early_;
    Turns turns_;
};

class TlsWebSocket final : public WebSocket {
public:
    explicit TlsWebSocket(std::shared_ptr<TlsStream> stream)
        : stream_(std::move(stream)), socket_(*stream_), turns_(stream_->get_executor()) {
        websocket::stream_base::timeout limits{};
        limits.handshake_timeout = closing_time;  // of the closing handshake, too
        limits.idle_timeout = websocket::stream_base::none();
        limits.keep_alive_pings = false;
        socket_.set_option(limits);
        // Messages are handed on in pieces, so that their size is nobody's concern.
        socket_.read_message_max(0);
        socket_.auto_fragment(false);
    }

    asio::awaitable<bool> accept(const HttpRequest& request, std::string protocol) {
        http::request<http::empty_body> message;
        message.version(11);
        message.method_string(request.method);
        message.target(request.target);
        for (const auto& [name, value] : request.headers) message.insert(name, value);
        if (!protocol.empty())
            socket_.set_option(
                websocket::stream_base::decorator([protocol](websocket::response_type& response) {
                    response.set(http::field::sec_websocket_protocol, protocol);
                }));
        auto [error] = co_await socket_.async_accept(message, nothrow);
        co_return !error;
    }

    asio::awaitable<Piece> read_some(char* into, std::size_t size) override {
        Piece piece;
        piece.first = at_start_;
        auto [error, count] = co_await socket_.async_read_some(asio::buffer(into, size), nothrow);
        piece.gone = static_cast<bool>(error);
        piece.size = error ? 0 : count;
        piece.last = !error && socket_.is_message_done();
        at_start_ = piece.last;
        co_return piece;
    }

    asio::awaitable<bool> write(std::string_view bytes) override { return send(bytes, false); }
    asio::awaitable<bool> write_text(std::string_view message) override {
        return send(message, true);
    }

    asio::awaitable<void> shut(std::string_view reason) override {
        const Turns::Pass turn = co_await turns_.take();
        const websocket::close_reason why(websocket::close_code::normal,
                                          beast::string_view(reason.data(), reason.size()));
        co_await socket_.async_close(why, nothrow);
    }

    bool peer_closed() const override { return has_peer_closed(*stream_); }
    void close() override { close_socket(*stream_); }

private:
    asio::awaitable<bool> send(std::string_view bytes, bool text) {
        const Turns::Pass turn = co_await turns_.take();
        socket_.text(text);
        auto [error, count] = co_await socket_.async_write(asio::buffer(bytes), nothrow);
        (void)count;
        co_return !error;
    }

    std::shared_ptr<TlsStream> stream_;
    websocket::stream<TlsStream&> socket_;
    Turns turns_;
    bool at_start_ = true;
};

}  // namespace

std::shared_ptr<ByteStream> make_byte_stream(std::shared_ptr<TlsStream> stream, std::string early) {
    beast::get_lowest_layer(*stream).expires_never();
    return std::make_shared<TlsBytes>(std::move(stream), std::move(early));
}

asio::awaitable<std::shared_ptr<WebSocket>> make_websocket(std::shared_ptr<TlsStream> stream,
                                                           const HttpRequest& request,
                                                           std::string protocol) {
    beast::get_lowest_layer(*stream).expires_never();
    const auto made = std::make_shared<TlsWebSocket>(std::move(stream));
    if (!co_await made->accept(request, std::move(protocol))) co_return nullptr;
    co_return made;
}

}  // namespace shed
