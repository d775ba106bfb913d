#include "fakes/net/http_server.hpp"

#include "fakes/base/log.hpp"
#include "fakes/net/tasks.hpp"
#include "fakes/net/upgrade_internal.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <set>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace shed {

namespace {

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
using Stream = TlsStream;

asio::ssl::context make_context(const TlsIdentity& identity) {
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                        asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1);
    context.use_certificate_chain(asio::buffer(identity.cert_pem + identity.ca_pem));
    context.use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem);
    return context;
}

HttpRequest request_of(http::request<http::string_body>&& message) {
    HttpRequest request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message)
        request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    request.body = std::move(message.body());
    return request;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
    for (const auto& [field, value] : headers)
        if (beast::iequals(beast::string_view(field.data(), field.size()),
                           beast::string_view(name.data(), name.size())))
            return value;
    return {};
}

namespace {

// One connection: requests one after the other, each answered by the handler through this object.
class Session final : public HttpReply, public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket socket, asio::ssl::context& context, const HttpLimits& limits, const HttpHandler& handler)
        : stream_(std::move(socket), context), limits_(limits), handler_(handler),
          watcher_(stream_.get_executor()) {}

    asio::awaitable<void> run();
    void close();

    asio::awaitable<bool> send(HttpResponse response) override;
    asio::awaitable<bool> begin(HttpResponse head) override;
    asio::awaitable<bool> write(std::string chunk) override;
    asio::awaitable<void> end() override;
    void on_gone(std::function<void()> handler) override { gone_handler_ = std::move(handler); }
    asio::awaitable<std::shared_ptr<ByteStream>> upgrade(HttpResponse head) override;
    asio::awaitable<std::shared_ptr<WebSocket>> accept_websocket(const HttpRequest& request,
                                                                 std::string protocol) override;

private:
    asio::awaitable<bool> read_request(HttpRequest& request);
    asio::awaitable<void> refuse(int status, std::string reason, std::string message);
    asio::awaitable<void> watch_peer();
    asio::awaitable<bool> put(std::string bytes);
    void limit(std::chrono::milliseconds time) { beast::get_lowest_layer(stream_).expires_after(time); }

    Stream stream_;
    const HttpLimits& limits_;
    const HttpHandler& handler_;
    beast::flat_buffer buffer_;
    bool keep_alive_ = true, answered_ = false, streaming_ = false, gone_ = false;
    bool head_only_ = false, upgraded_ = false;
    std::function<void()> gone_handler_;
    Tasks watcher_;
};

asio::awaitable<void> Session::run() {
    limit(limits_.header_time);
    auto [handshake_error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, nothrow);
    if (handshake_error) co_return;
    while (keep_alive_ && !gone_) {
        HttpRequest request;
        if (!co_await read_request(request)) break;
        answered_ = streaming_ = false;
        head_only_ = request.method == "HEAD";
        co_await handler_(std::move(request), *this);
        if (upgraded_) co_return close();
        if (streaming_) co_await end();
        // A handler that answers nothing has refused to talk to this peer.
        if (!answered_) break;
        gone_handler_ = nullptr;
    }
    limit(std::chrono::milliseconds(500));
    co_await stream_.async_shutdown(nothrow);
    close();
}

asio::awaitable<bool> Session::read_request(HttpRequest& request) {
    if (buffer_.size() == 0) {
        limit(limits_.idle_time);
        auto [wait_error, n] = co_await stream_.async_read_some(buffer_.prepare(16 * 1024), nothrow);
        if (wait_error) co_return false;
        buffer_.commit(n);
    }
    http::request_parser<http::string_body> parser;
    parser.header_limit(limits_.header_bytes_max);
    parser.body_limit(limits_.body_bytes_max);
    limit(limits_.header_time);
    auto [head_error, head_size] = co_await http::async_read_header(stream_, buffer_, parser, nothrow);
    (void)head_size;
    if (head_error) {
        if (head_error == http::error::header_limit)
            co_await refuse(431, "RequestHeaderFieldsTooLarge", "the request's header is too large");
        else if (head_error == http::error::body_limit)
            co_await refuse(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
        else if (head_error.category() == http::make_error_code(http::error::bad_method).category() &&
                 head_error != http::error::end_of_stream && head_error != http::error::partial_message)
            co_await refuse(400, "BadRequest", "malformed HTTP request: " + head_error.message());
        co_return false;
    }
    if (parser.get()[http::field::transfer_encoding].size() > 0 &&
        parser.get()[http::field::content_length].size() > 0) {
        co_await refuse(400, "BadRequest", "a request has Content-Length or Transfer-Encoding, not both");
        co_return false;
    }
    if (parser.get()[http::field::expect] == "100-continue") {
        std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        if (!co_await put(std::move(go_on))) co_return false;
    }
    limit(limits_.body_time);
    auto [body_error, body_size] = co_await http::async_read(stream_, buffer_, parser, nothrow);
    (void)body_size;
    if (body_error) {
        if (body_error == http::error::body_limit)
            co_await refuse(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
        co_return false;
    }
    keep_alive_ = parser.get().keep_alive();
    request = request_of(parser.release());
    co_return true;
}

asio::awaitable<void> Session::refuse(int status, std::string reason, std::string message) {
    keep_alive_ = false;
    HttpResponse response;
    response.status = status;
    response.body = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"" +
                    message + "\",\"reason\":\"" + reason + "\",\"code\":" + std::to_string(status) + "}\n";
    co_await send(std::move(response));
}

asio::awaitable<bool> Session::put(std::string bytes) {
    if (gone_) co_return false;
    limit(limits_.write_time);
    auto [error, n] = co_await asio::async_write(stream_, asio::buffer(bytes), nothrow);
    (void)n;
    if (error) gone_ = true;
    if (streaming_) beast::get_lowest_layer(stream_).expires_never();
    co_return !error;
}

std::string head_text(const HttpResponse& response, bool keep_alive) {
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
    text += std::string(http::obsolete_reason(static_cast<http::status>(response.status)));
    text += "\r\nContent-Type: " + response.content_type + "\r\n";
    text += "Cache-Control: no-cache, private\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    if (!keep_alive) text += "Connection: close\r\n";
    return text;
}

asio::awaitable<bool> Session::send(HttpResponse response) {
    answered_ = true;
    std::string text = head_text(response, keep_alive_);
    text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n";
    if (!head_only_) text += response.body;
    co_return co_await put(std::move(text));
}

asio::awaitable<bool> Session::begin(HttpResponse head) {
    answered_ = streaming_ = true;
    // A peer that speaks during a stream is taken to be leaving, so no further request comes on this connection.
    keep_alive_ = false;
    std::string text = head_text(head, keep_alive_) + "Transfer-Encoding: chunked\r\n\r\n";
    if (!co_await put(std::move(text))) co_return false;
    watcher_.spawn("http.peer", watch_peer());
    co_return true;
}

asio::awaitable<bool> Session::write(std::string chunk) {
    if (chunk.empty()) co_return !gone_;
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    chunk.insert(0, size);
    chunk += "\r\n";
    co_return co_await put(std::move(chunk));
}

asio::awaitable<void> Session::end() {
    if (!streaming_) co_return;
    std::string last = "0\r\n\r\n";
    co_await put(std::move(last));
    streaming_ = false;
    watcher_.cancel();
}

asio::awaitable<std::shared_ptr<ByteStream>> Session::upgrade(HttpResponse head) {
    upgraded_ = true;
    std::string text = "HTTP/1.1 101 Switching Protocols\r\n";
    for (const auto& [name, value] : head.headers) text += name + ": " + value + "\r\n";
    if (!co_await put(text + "\r\n")) co_return nullptr;
    std::string early(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    co_return make_byte_stream(std::shared_ptr<Stream>(shared_from_this(), &stream_), std::move(early));
}

asio::awaitable<std::shared_ptr<WebSocket>> Session::accept_websocket(const HttpRequest& request,
                                                                      std::string protocol) {
    upgraded_ = true;
    if (buffer_.size() > 0) co_return nullptr;  // A client has to wait for the handshake's answer (RFC 6455, 4.1).
    std::shared_ptr<Stream> stream(shared_from_this(), &stream_);
    co_return co_await make_websocket(std::move(stream), request, std::move(protocol));
}

// While a stream is open the peer has nothing to say: anything it does means that it is going.
asio::awaitable<void> Session::watch_peer() {
    char byte[64];
    auto [error, n] = co_await stream_.async_read_some(asio::buffer(byte), nothrow);
    (void)n;
    if (!streaming_) co_return;
    (void)error;
    gone_ = true;
    if (gone_handler_) gone_handler_();
}

void Session::close() {
    gone_ = true;
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
    if (gone_handler_) gone_handler_();
}

}  // namespace

struct HttpServer::Impl {
    Impl(asio::any_io_executor e, const TlsIdentity& identity, HttpLimits l, HttpHandler h)
        : executor(e), context(make_context(identity)), limits(l), handler(std::move(h)), tasks(e) {}

    asio::awaitable<void> accept(std::shared_ptr<tcp::acceptor> acceptor);
    asio::awaitable<void> serve(std::shared_ptr<Session> session);

    asio::any_io_executor executor;
    asio::ssl::context context;
    HttpLimits limits;
    HttpHandler handler;
    std::vector<std::shared_ptr<tcp::acceptor>> acceptors;
    std::set<std::shared_ptr<Session>> sessions;
    Tasks tasks;
};

asio::awaitable<void> HttpServer::Impl::accept(std::shared_ptr<tcp::acceptor> acceptor) {
    for (;;) {
        auto [error, socket] = co_await acceptor->async_accept(nothrow);
        if (!acceptor->is_open() || error == asio::error::operation_aborted) co_return;
        if (error) {
            // Out of descriptors, most likely: wait for connections to end rather than spin.
            asio::steady_timer pause(executor, std::chrono::milliseconds(100));
            co_await pause.async_wait(nothrow);
            continue;
        }
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        auto session = std::make_shared<Session>(std::move(socket), context, limits, handler);
        sessions.insert(session);
        tasks.spawn("http.session", serve(session));
    }
}

asio::awaitable<void> HttpServer::Impl::serve(std::shared_ptr<Session> session) {
    try {
        co_await session->run();
    } catch (const std::exception& e) {
        log(LogLevel::error, "http.session_failed", {{"why", e.what()}});
    }
    sessions.erase(session);
}

HttpServer::HttpServer(asio::any_io_executor executor, const TlsIdentity& identity, HttpLimits limits,
                       HttpHandler handler)
    : impl_(std::make_shared<Impl>(std::move(executor), identity, limits, std::move(handler))) {}

HttpServer::~HttpServer() { stop(); }

Result<std::uint16_t> HttpServer::listen(const std::string& address, std::uint16_t port) {
    boost::system::error_code ec;
    const auto ip = asio::ip::make_address(address, ec);
    if (ec) return Error{Reason::bad_request, "no address: " + address};
    auto acceptor = std::make_shared<tcp::acceptor>(impl_->executor);
    const tcp::endpoint endpoint(ip, port);
    acceptor->open(endpoint.protocol(), ec);
    if (!ec) acceptor->set_option(tcp::acceptor::reuse_address(true), ec);
    if (!ec) acceptor->bind(endpoint, ec);
    if (!ec) acceptor->listen(asio::socket_base::max_listen_connections, ec);
    if (ec)
        return Error{ec == asio::error::address_in_use ? Reason::conflict : Reason::environment,
                     "cannot listen on " + address + ":" + std::to_string(port) + ": " + ec.message()};
    const std::uint16_t bound = acceptor->local_endpoint().port();
    impl_->acceptors.push_back(acceptor);
    impl_->tasks.spawn("http.accept", impl_->accept(acceptor));
    return bound;
}

void HttpServer::listen_on(int descriptor) {
    auto acceptor = std::make_shared<tcp::acceptor>(impl_->executor);
    acceptor->assign(tcp::v4(), descriptor);
    impl_->acceptors.push_back(acceptor);
    impl_->tasks.spawn("http.accept", impl_->accept(acceptor));
}

std::size_t HttpServer::connections() const { return impl_->sessions.size(); }

void HttpServer::stop() {
    boost::system::error_code ignored;
    for (const auto& acceptor : impl_->acceptors) acceptor->close(ignored);
    impl_->acceptors.clear();
    const auto sessions = impl_->sessions;
    for (const auto& session : sessions) session->close();
    impl_->tasks.cancel();
}

}  // namespace shed
