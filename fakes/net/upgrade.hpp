#pragma once
// What a connection becomes after an upgrade (101): a stream of bytes, or WebSocket messages (RFC
// 6455). Beast stays in the .cpp. One read at a time; writes may overlap and go out one after the
// other. A write returns when the peer's window has taken it, so who waits for it never runs ahead
// of a slow peer.
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string_view>

namespace shed {

class Upgraded {
public:
    virtual ~Upgraded() = default;
    // False: the peer is gone.
    virtual boost::asio::awaitable<bool> write(std::string_view bytes) = 0;
    // Whether the peer has closed its side or vanished, as the kernel knows it, whatever is still
    // unread.
    virtual bool peer_closed() const = 0;
    virtual void close() = 0;  // at once; what waits ends
};

class ByteStream : public Upgraded {
public:
    virtual boost::asio::awaitable<std::size_t> read_some(
        char* into, std::size_t size) = 0;  // 0: the peer is gone
};

class WebSocket : public Upgraded {  // write() sends one binary message
public:
    struct Piece {
        std::size_t size = 0;  // written into the buffer
        bool first = false;    // a message begins with it
        bool last = false;     // ... ends with it
        bool gone = false;     // the peer closed; nothing was read
    };
    // The next bytes of a message, text or binary. Pings are answered meanwhile.
    virtual boost::asio::awaitable<Piece> read_some(char* into, std::size_t size) = 0;
    virtual boost::asio::awaitable<bool> write_text(std::string_view message) = 0;
    // The closing handshake with status 1000 and `reason`, for at most a few seconds.
    virtual boost::asio::awaitable<void> shut(std::string_view reason) = 0;
};

}  // namespace shed
