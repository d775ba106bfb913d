#pragma once
// One connection of the HTTP server: requests one after the other, each answered by the handler.
#include "fakes/net/http_read.hpp"
#include "fakes/net/http_server.hpp"
#include "fakes/net/tasks.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <memory>

namespace shed {

class HttpSession final : public HttpReply, public std::enable_shared_from_this<HttpSession> {
public:
    HttpSession(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context& context, const HttpLimits& limits,
                const HttpHandler& handler);

    boost::asio::awaitable<void> run();
    // Instead of run(): answers 429 to one request.
    boost::asio::awaitable<void> turn_away();
    void close();
    bool gone() const { return gone_; }

    boost::asio::awaitable<bool> send(HttpResponse response) override;
    boost::asio::awaitable<bool> begin(HttpResponse head) override;
    boost::asio::awaitable<bool> write(std::string chunk) override;
    boost::asio::awaitable<void> end() override;
    void on_gone(std::function<void()> handler) override { gone_handler_ = std::move(handler); }
    boost::asio::awaitable<std::shared_ptr<ByteStream>> upgrade(HttpResponse head) override;
    boost::asio::awaitable<std::shared_ptr<WebSocket>> accept_websocket(const HttpRequest& request,
                                                                        std::string protocol) override;

private:
    using Parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    boost::asio::awaitable<bool> greet();
    boost::asio::awaitable<bool> read_request(HttpRequest& request);
    boost::asio::awaitable<bool> read_head(Parser& parser);
    boost::asio::awaitable<bool> read_body(Parser& parser);
    boost::asio::awaitable<void> refuse(int status, std::string reason, std::string message);
    boost::asio::awaitable<void> answer(HttpRequest request);
    boost::asio::awaitable<void> part();
    static boost::asio::awaitable<void> watch_peer(std::shared_ptr<HttpSession> self);
    boost::asio::awaitable<bool> put(std::string bytes);
    void limit(std::chrono::milliseconds time) { boost::beast::get_lowest_layer(stream_).expires_after(time); }

    TlsStream stream_;
    const HttpLimits& limits_;
    const HttpHandler& handler_;
    boost::beast::flat_buffer buffer_;
    bool keep_alive_ = true, answered_ = false, streaming_ = false, gone_ = false;
    bool head_only_ = false, refused_ = false, upgraded_ = false;
    std::function<void()> gone_handler_;
    Tasks watcher_;
};

}  // namespace shed
