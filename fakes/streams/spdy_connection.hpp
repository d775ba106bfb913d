#pragma once
// One SPDY/3.1 connection on a stream of bytes, the server's side. For this module only.
// Unlike SPDY/3.1, and like the library kubectl and kubelets use, windows are not kept:
// WINDOW_UPDATE is ignored, and a slow side is waited for by the connection below.
#include "fakes/net/upgrade.hpp"
#include "fakes/spdy/spdy.hpp"

#include <array>
#include <memory>

namespace shed::streams {

class SpdyConnection {
public:
    explicit SpdyConnection(std::shared_ptr<ByteStream> bytes) : bytes_(std::move(bytes)) {}

    // The next frame; pings are answered meanwhile. nullopt: the peer is gone, or speaks no SPDY.
    boost::asio::awaitable<std::optional<spdy::Frame>> read();
    // Each returns false when the peer is gone.
    boost::asio::awaitable<bool> accept(std::uint32_t stream);  // SYN_REPLY; one at a time
    boost::asio::awaitable<bool> send(std::uint32_t stream, std::string_view bytes, bool fin);
    boost::asio::awaitable<bool> reset(std::uint32_t stream, std::uint32_t status);
    bool peer_closed() const { return bytes_->peer_closed(); }
    void close() { bytes_->close(); }

private:
    std::shared_ptr<ByteStream> bytes_;
    spdy::Reader reader_;
    spdy::Writer writer_;
    std::array<char, 32 * 1024> buffer_;
};

// The bytes of a WebSocket's messages, whose bounds mean nothing: SPDY/3.1+portforward.k8s.io.
std::shared_ptr<ByteStream> bytes_in_messages(std::shared_ptr<WebSocket> socket);

}  // namespace shed::streams
