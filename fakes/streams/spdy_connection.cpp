#include "fakes/streams/spdy_connection.hpp"

#include <boost/asio/awaitable.hpp>

namespace asio = boost::asio;

namespace shed::streams {

asio::awaitable<std::optional<spdy::Frame>> SpdyConnection::read() {
    for (;;) {
        auto frame = reader_.next();
        if (!frame) co_return std::nullopt;
        if (*frame && (*frame)->type == spdy::Type::ping) {
            // Even numbers are the server's own (2.6.5), which sends none.
            const std::string answer = spdy::Writer::ping((*frame)->value);
            if ((*frame)->value % 2 == 1 && !co_await bytes_->write(answer)) co_return std::nullopt;
            continue;
        }
        if (*frame) co_return std::move(*frame);
        const std::size_t size = co_await bytes_->read_some(buffer_.data(), buffer_.size());
        if (size == 0) co_return std::nullopt;
        reader_.feed(std::string_view(buffer_.data(), size));
    }
}

asio::awaitable<bool> SpdyConnection::accept(std::uint32_t stream) {
    const std::string frame = writer_.syn_reply(stream, spdy::Headers());
    co_return co_await bytes_->write(frame);
}

asio::awaitable<bool> SpdyConnection::send(std::uint32_t stream, std::string_view bytes, bool fin) {
    const std::string frame = spdy::Writer::data(stream, bytes, fin);
    co_return co_await bytes_->write(frame);
}

asio::awaitable<bool> SpdyConnection::reset(std::uint32_t stream, std::uint32_t status) {
    const std::string frame = spdy::Writer::rst_stream(stream, status);
    co_return co_await bytes_->write(frame);
}

namespace {

class MessageBytes final : public ByteStream {
public:
    explicit MessageBytes(std::shared_ptr<WebSocket> socket) : socket_(std::move(socket)) {}

    asio::awaitable<std::size_t> read_some(char* into, std::size_t size) override {
        for (;;) {
            const WebSocket::Piece piece = co_await socket_->read_some(into, size);
            if (piece.gone) co_return 0;
            if (piece.size > 0) co_return piece.size;
        }
    }
    asio::awaitable<bool> write(std::string_view bytes) override { return socket_->write(bytes); }
    bool peer_closed() const override { return socket_->peer_closed(); }
    void close() override { socket_->close(); }

private:
    std::shared_ptr<WebSocket> socket_;
};

}  // namespace

std::shared_ptr<ByteStream> bytes_in_messages(std::shared_ptr<WebSocket> socket) {
    return std::make_shared<MessageBytes>(std::move(socket));
}

}  // namespace shed::streams
