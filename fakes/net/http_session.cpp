#include "fakes/net/http_session.hpp"

#include "fakes/net/upgrade_internal.hpp"

#include <array>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace shed {

namespace {

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
constexpr auto parting_time = std::chrono::milliseconds(500);
constexpr std::size_t parting_bytes_max = 1024 * 1024;
// All of a body's together; as Go's net/http allows (maxChunkOverhead).
constexpr std::size_t extension_bytes_max = 16 * 1024;

constexpr auto whole = [](const auto& parser) { return parser.is_done(); };

HttpRequest head_of(const http::request<http::string_body>& message) {
    HttpRequest request;
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message)
        request.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    return request;
}

// A field that goes on in the next line (RFC 9112 5.2), which servers read differently. `text` is the part of a head
// that is not parsed yet, from the beginning of a line, and perhaps what follows the head.
bool has_folded_line(std::string_view text) {
    if (text.starts_with("\r\n")) return false;
    text = text.substr(0, text.find("\r\n\r\n"));
    return text.find("\r\n ") != std::string_view::npos || text.find("\r\n\t") != std::string_view::npos;
}

// What makes it doubtful where a request ends or whom it is for (RFC 9112 3.2, 6.1); "" when nothing does.
std::string doubt_about(const http::request<http::string_body>& message) {
    const auto hosts = message.count(http::field::host), codings = message.count(http::field::transfer_encoding);
    if (hosts > 1 || (hosts == 0 && message.version() == 11)) return "a request has one Host";
    if (codings == 0) return "";
    if (message.count(http::field::content_length) > 0)
        return "a request has Content-Length or Transfer-Encoding, not both";
    const bool chunked = beast::iequals(message[http::field::transfer_encoding], "chunked");
    return codings == 1 && chunked && message.version() == 11 ? "" : "the only Transfer-Encoding known is chunked";
}

// The peer's words were wrong, in contrast to: it has gone.
bool malformed(const boost::system::error_code& error) {
    return error.category() == http::make_error_code(http::error::bad_method).category() &&
           error != http::error::end_of_stream && error != http::error::partial_message;
}

}  // namespace

HttpSession::HttpSession(tcp::socket socket, asio::ssl::context& context, const HttpLimits& limits,
                         const HttpHandler& handler)
    : stream_(std::move(socket), context), limits_(limits), handler_(handler),
      buffer_(limits.header_bytes_max), watcher_(stream_.get_executor()) {}

asio::awaitable<bool> HttpSession::greet() {
    limit(limits_.header_time);
    auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, nothrow);
    co_return !error;
}

asio::awaitable<void> HttpSession::turn_away() {
    const bool greeted = co_await greet();
    if (!greeted) co_return;
    Parser parser;
    parser.header_limit(limits_.header_bytes_max);
    const bool complete = co_await read_head(parser);
    if (complete) co_await refuse(429, "TooManyRequests", "too many connections: this server takes " +
                                                              std::to_string(limits_.connections_max) + " at a time");
    co_await part();
}

asio::awaitable<void> HttpSession::run() {
    const bool greeted = co_await greet();
    if (!greeted) co_return;
    while (keep_alive_ && !gone_) {
        HttpRequest request;
        const bool complete = co_await read_request(request);
        if (!complete || gone_) break;
        answered_ = streaming_ = false;
        head_only_ = request.method == "HEAD";
        co_await answer(std::move(request));
        if (upgraded_) co_return close();  // What is spoken now has its own farewell.
        if (streaming_) co_await end();
        // A handler that answers nothing has refused to talk to this peer.
        if (!answered_) break;
    }
    co_await part();
}

asio::awaitable<void> HttpSession::answer(HttpRequest request) {
    // What the handler asked to be called refers to its own variables, which also an exception ends.
    const std::shared_ptr<void> forget(nullptr, [this](void*) { gone_handler_ = nullptr; });
    co_await handler_(std::move(request), *this);
}

// After a refusal the peer may still be sending: what it sends is taken for a moment, or the kernel
// would reset the connection and the peer lose the answer (as net/http's rstAvoidanceDelay).
asio::awaitable<void> HttpSession::part() {
    limit(parting_time);
    co_await stream_.async_shutdown(nothrow);
    auto& below = beast::get_lowest_layer(stream_);
    boost::system::error_code error;
    below.socket().shutdown(tcp::socket::shutdown_send, error);
    std::array<char, 4096> ignored;
    for (std::size_t taken = 0; refused_ && !error && taken < parting_bytes_max;) {
        auto [read_error, size] = co_await below.async_read_some(asio::buffer(ignored), nothrow);
        error = read_error;
        taken += size;
    }
    close();
}

asio::awaitable<bool> HttpSession::read_request(HttpRequest& request) {
    if (buffer_.size() == 0) {
        limit(limits_.idle_time);
        auto [wait_error, n] = co_await stream_.async_read_some(buffer_.prepare(4096), nothrow);
        if (wait_error) co_return false;
        buffer_.commit(n);
    }
    Parser parser;
    parser.header_limit(limits_.header_bytes_max);
    parser.body_limit(limits_.body_bytes_max);
    std::size_t extension_bytes = 0;
    auto check_extensions = [&](std::uint64_t, beast::string_view text, boost::system::error_code& error) {
        extension_bytes += text.size();
        if (extension_bytes > extension_bytes_max) error = http::error::bad_chunk_extension;
    };
    parser.on_chunk_header(check_extensions);
    if (!co_await read_head(parser)) co_return false;
    // Before the body, after which Beast would add the trailers: nobody may rely on those.
    request = head_of(parser.get());
    keep_alive_ = parser.get().keep_alive();
    if (!co_await read_body(parser)) co_return false;
    request.body = std::move(parser.get().body());
    co_return true;
}

asio::awaitable<bool> HttpSession::read_head(Parser& parser) {
    limit(limits_.header_time);
    bool folded = false;
    const auto stop = [&](const Parser& at) {
        if (at.is_header_done()) return true;
        const auto data = buffer_.data();
        folded = has_folded_line(std::string_view(static_cast<const char*>(data.data()), data.size()));
        return folded;
    };
    const auto error = co_await read_until(stream_, buffer_, parser, stop);
    if (error == http::error::header_limit || error == http::error::buffer_overflow)
        co_await refuse(431, "RequestHeaderFieldsTooLarge", "the request's header is too large");
    else if (error == http::error::body_limit)
        co_await refuse(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
    else if (malformed(error))
        co_await refuse(400, "BadRequest", "malformed HTTP request: " + error.message());
    if (error) co_return false;
    std::string doubt = folded ? "a header field has one line" : doubt_about(parser.get());
    if (doubt.empty()) co_return true;
    co_await refuse(400, "BadRequest", std::move(doubt));
    co_return false;
}

asio::awaitable<bool> HttpSession::read_body(Parser& parser) {
    if (parser.get()[http::field::expect] == "100-continue") {
        std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        if (!co_await put(std::move(go_on))) co_return false;
    }
    limit(limits_.body_time);
    const auto error = co_await read_until(stream_, buffer_, parser, whole);
    if (error == http::error::body_limit)
        co_await refuse(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728");
    else if (malformed(error))
        co_await refuse(400, "BadRequest", "malformed HTTP body: " + error.message());
    co_return !error.failed();
}

asio::awaitable<void> HttpSession::refuse(int status, std::string reason, std::string message) {
    keep_alive_ = false;
    refused_ = true;
    HttpResponse response;
    response.status = status;
    response.body = "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Failure\",\"message\":\"" +
                    message + "\",\"reason\":\"" + reason + "\",\"code\":" + std::to_string(status) + "}\n";
    if (status == 429) response.headers.emplace_back("Retry-After", "1");
    co_await send(std::move(response));
}

asio::awaitable<bool> HttpSession::put(std::string bytes) {
    if (gone_) co_return false;
    limit(limits_.write_time);
    auto [error, n] = co_await asio::async_write(stream_, asio::buffer(bytes), nothrow);
    (void)n;
    if (error) gone_ = true;
    if (streaming_) beast::get_lowest_layer(stream_).expires_never();
    co_return !error;
}

namespace {

std::string head_text(const HttpResponse& response, bool keep_alive) {
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
    text += std::string(http::obsolete_reason(static_cast<http::status>(response.status)));
    text += "\r\nContent-Type: " + response.content_type + "\r\n";
    text += "Cache-Control: no-cache, private\r\n";
    for (const auto& [name, value] : response.headers) text += name + ": " + value + "\r\n";
    if (!keep_alive) text += "Connection: close\r\n";
    return text;
}

}  // namespace

asio::awaitable<bool> HttpSession::send(HttpResponse response) {
    answered_ = true;
    std::string text = head_text(response, keep_alive_);
    text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n";
    if (!head_only_) text += response.body;
    co_return co_await put(std::move(text));
}

asio::awaitable<bool> HttpSession::begin(HttpResponse head) {
    answered_ = true;
    if (head_only_) {
        std::string only = head_text(head, keep_alive_) + "\r\n";
        co_await put(std::move(only));
        co_return false;
    }
    streaming_ = true;
    // A peer that speaks during a stream is taken to be leaving, so no further request comes on this connection.
    keep_alive_ = false;
    std::string text = head_text(head, keep_alive_) + "Transfer-Encoding: chunked\r\n\r\n";
    if (!co_await put(std::move(text))) co_return false;
    watcher_.spawn("http.peer", watch_peer(shared_from_this()));
    co_return true;
}

asio::awaitable<bool> HttpSession::write(std::string chunk) {
    if (!streaming_ || chunk.empty()) co_return streaming_ && !gone_;
    char size[24];
    std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    chunk.insert(0, size);
    chunk += "\r\n";
    co_return co_await put(std::move(chunk));
}

asio::awaitable<void> HttpSession::end() {
    if (!streaming_) co_return;
    std::string last = "0\r\n\r\n";
    co_await put(std::move(last));
    streaming_ = false;
    watcher_.cancel();
}

asio::awaitable<std::shared_ptr<ByteStream>> HttpSession::upgrade(HttpResponse head) {
    upgraded_ = true;
    std::string text = "HTTP/1.1 101 Switching Protocols\r\n";
    for (const auto& [name, value] : head.headers) text += name + ": " + value + "\r\n";
    text += "\r\n";
    const bool sent = co_await put(std::move(text));
    if (!sent) co_return nullptr;
    std::string early(static_cast<const char*>(buffer_.data().data()), buffer_.size());
    co_return make_byte_stream(std::shared_ptr<TlsStream>(shared_from_this(), &stream_), std::move(early));
}

asio::awaitable<std::shared_ptr<WebSocket>> HttpSession::accept_websocket(const HttpRequest& request,
                                                                          std::string protocol) {
    upgraded_ = true;
    if (buffer_.size() > 0) co_return nullptr;  // A client has to wait for the handshake's answer (RFC 6455, 4.1).
    std::shared_ptr<TlsStream> stream(shared_from_this(), &stream_);
    co_return co_await make_websocket(std::move(stream), request, std::move(protocol));
}

// While a stream is open the peer has nothing to say: anything it does means that it is going.
asio::awaitable<void> HttpSession::watch_peer(std::shared_ptr<HttpSession> self) {
    char byte[64];
    co_await self->stream_.async_read_some(asio::buffer(byte), nothrow);
    if (!self->streaming_) co_return;
    self->gone_ = true;
    if (self->gone_handler_) self->gone_handler_();
}

void HttpSession::close() {
    gone_ = true;
    boost::system::error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
    if (gone_handler_) gone_handler_();
}

}  // namespace shed
