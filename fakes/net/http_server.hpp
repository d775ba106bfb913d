#pragma once
// HTTP/1.1 over TLS, server side: one coroutine per connection, keep-alive, whole responses or chunked streams.
// Knows nothing of Kubernetes. Beast stays in the .cpp.
#include "fakes/base/result.hpp"
#include "fakes/net/tls.hpp"
#include "fakes/net/upgrade.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace shed {

struct HttpRequest {
    std::string method, target;  // target as sent: path and query
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;
    std::string_view header(std::string_view name) const;  // "" when absent; names compare without case
};

struct HttpResponse {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
};

// What a handler answers with: send() once, or begin(), write()..., end(). False means that the peer has gone.
class HttpReply {
public:
    virtual ~HttpReply() = default;
    virtual boost::asio::awaitable<bool> send(HttpResponse response) = 0;
    // `head`'s body is ignored. False also when the request was HEAD: nothing more is wanted then.
    virtual boost::asio::awaitable<bool> begin(HttpResponse head) = 0;
    virtual boost::asio::awaitable<bool> write(std::string chunk) = 0;
    virtual boost::asio::awaitable<void> end() = 0;
    // Called once when the peer closes while a stream is open, so that an idle handler can stop waiting.
    virtual void on_gone(std::function<void()> handler) = 0;
    // Instead of the above: the connection becomes something else, for good. `head` is the 101 to send; nullptr means
    // that the peer has gone. Whoever has the result may use it for as long as he likes.
    virtual boost::asio::awaitable<std::shared_ptr<ByteStream>> upgrade(HttpResponse head) = 0;
    virtual boost::asio::awaitable<std::shared_ptr<WebSocket>> accept_websocket(const HttpRequest& request,
                                                                                std::string protocol) = 0;
};

struct HttpLimits {
    std::size_t body_bytes_max = 3 * 1024 * 1024;  // as kube-apiserver
    // A request's head, also what one chunk's size line or all trailers may have. The parser throws at
    // a field of 64 KiB.
    std::uint32_t header_bytes_max = 64 * 1024;
    std::size_t connections_max = 800;  // further ones get 429, and hundreds more are closed unheard
    std::chrono::milliseconds header_time{32'000}, body_time{60'000}, idle_time{90'000}, write_time{30'000};
};

using HttpHandler = std::function<boost::asio::awaitable<void>(HttpRequest, HttpReply&)>;

class HttpServer {
public:
    HttpServer(boost::asio::any_io_executor executor, const TlsIdentity& identity, HttpLimits limits,
               HttpHandler handler);
    ~HttpServer();

    // Listens on a loopback address; port 0 picks a free one. Returns the port.
    Result<std::uint16_t> listen(const std::string& address, std::uint16_t port);
    void listen_on(int descriptor);  // a listening TCP socket made elsewhere
    std::size_t connections() const;
    // Closes everything; the io_context then runs empty. Handlers that are under way end only in its next turns,
    // so what they refer to must live until then.
    void stop();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace shed
