#include "fakes/net/http_client.hpp"

#include "fakes/net/http_read.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <sys/socket.h>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace shed {

namespace {

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
constexpr auto connect_time = std::chrono::seconds(10);
constexpr auto answer_time = std::chrono::seconds(60);
constexpr std::size_t idle_connections_max = 8;
constexpr std::size_t header_bytes_max = 64 * 1024;

struct Connection {
    Connection(const asio::any_io_executor& executor, asio::ssl::context& context) : stream(executor, context) {}
    // An idle connection on which anything comes, the other side's farewell above all, is none to use.
    bool quiet() {
        char byte = 0;
        const int socket = beast::get_lowest_layer(stream).socket().native_handle();
        return buffer.size() == 0 && ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
               (errno == EAGAIN || errno == EWOULDBLOCK);
    }

    TlsStream stream;
    beast::flat_buffer buffer{header_bytes_max};
    bool used = false;
};
using ConnectionPtr = std::unique_ptr<Connection>;

Error unavailable(const HttpsTarget& target, const std::string& why) {
    return {Reason::unavailable, target.host + ":" + std::to_string(target.port) + ": " + why};
}

using Parser = http::response_parser<http::string_body>;

constexpr auto head_done = [](const auto& parser) { return parser.is_header_done(); };
constexpr auto whole = [](const auto& parser) { return parser.is_done(); };
constexpr auto some_body = [](const auto& parser) { return parser.is_done() || !parser.get().body().empty(); };

// May be sent again when nobody knows whether the first one was acted on: as net/http, which does
// not take PUT and DELETE for such, either (a second one may meet what the first one did).
bool repeatable(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

// The other side had closed a connection that was kept, before it read a request on it.
bool was_closed(const boost::system::error_code& error) {
    return error == http::error::end_of_stream || error == asio::ssl::error::stream_truncated ||
           error == asio::error::eof || error == asio::error::connection_reset || error == asio::error::broken_pipe;
}

void set_limits(Parser& parser) {
    parser.header_limit(header_bytes_max);
    parser.body_limit(boost::none);
}

HttpResponse response_of(http::response<http::string_body>&& message) {
    HttpResponse response;
    response.status = static_cast<int>(message.result_int());
    response.content_type = std::string(message[http::field::content_type]);
    for (const auto& field : message)
        response.headers.emplace_back(std::string(field.name_string()), std::string(field.value()));
    response.body = std::move(message.body());
    return response;
}

}  // namespace

std::string percent_encode(std::string_view text) {
    static constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = std::isalnum(byte) != 0 || std::string_view("-_.~").find(c) != std::string_view::npos;
        if (plain) {
            out.push_back(c);
        } else {
            out.push_back('%');
            out.push_back(digits[byte >> 4]);
            out.push_back(digits[byte & 15]);
        }
    }
    return out;
}

struct HttpClient::Impl {
    Impl(asio::any_io_executor e, HttpsTarget t)
        : executor(std::move(e)), target(std::move(t)), context(asio::ssl::context::tls_client) {
        context.set_verify_mode(asio::ssl::verify_peer);
        context.add_certificate_authority(asio::buffer(target.ca_pem));
    }

    asio::awaitable<Result<ConnectionPtr>> connect();
    asio::awaitable<Result<ConnectionPtr>> take();
    http::request<http::string_body> message(const std::string& method, const std::string& path, std::string body,
                                             const std::string& content_type) const;

    asio::any_io_executor executor;
    HttpsTarget target;
    asio::ssl::context context;
    std::vector<ConnectionPtr> idle;
};

asio::awaitable<Result<ConnectionPtr>> HttpClient::Impl::connect() {
    auto connection = std::make_unique<Connection>(executor, context);
    connection->stream.set_verify_callback(asio::ssl::host_name_verification(target.host));
    tcp::resolver resolver(executor);
    auto [resolve_error, endpoints] =
        co_await resolver.async_resolve(target.host, std::to_string(target.port), nothrow);
    if (resolve_error) co_return unavailable(target, resolve_error.message());
    auto& lowest = beast::get_lowest_layer(connection->stream);
    lowest.expires_after(connect_time);
    auto [connect_error, endpoint] = co_await lowest.async_connect(endpoints, nothrow);
    (void)endpoint;
    if (connect_error) co_return unavailable(target, connect_error.message());
    boost::system::error_code ignored;
    lowest.socket().set_option(tcp::no_delay(true), ignored);
    auto [handshake_error] = co_await connection->stream.async_handshake(asio::ssl::stream_base::client, nothrow);
    if (handshake_error) co_return unavailable(target, handshake_error.message());
    co_return std::move(connection);
}

asio::awaitable<Result<ConnectionPtr>> HttpClient::Impl::take() {
    while (!idle.empty()) {
        ConnectionPtr connection = std::move(idle.back());
        idle.pop_back();
        if (connection->quiet()) co_return std::move(connection);
    }
    co_return co_await connect();
}

http::request<http::string_body> HttpClient::Impl::message(const std::string& method, const std::string& path,
                                                           std::string body,
                                                           const std::string& content_type) const {
    http::request<http::string_body> request;
    request.version(11);
    request.method_string(method);
    request.target(path);
    request.set(http::field::host, target.host + ":" + std::to_string(target.port));
    request.set(http::field::user_agent, "trainshed/0.1");
    request.set(http::field::accept, "application/json");
    if (!target.token.empty()) request.set(http::field::authorization, "Bearer " + target.token);
    if (!content_type.empty()) request.set(http::field::content_type, content_type);
    request.body() = std::move(body);
    request.prepare_payload();
    return request;
}

namespace {

asio::awaitable<boost::system::error_code> exchange(Connection& connection,
                                                    const http::request<http::string_body>& message,
                                                    Parser& parser) {
    beast::get_lowest_layer(connection.stream).expires_after(answer_time);
    auto [error, written] = co_await http::async_write(connection.stream, message, nothrow);
    (void)written;
    if (error) co_return error;
    co_return co_await read_until(connection.stream, connection.buffer, parser, whole);
}

}  // namespace

HttpClient::HttpClient(asio::any_io_executor executor, HttpsTarget target)
    : impl_(std::make_unique<Impl>(std::move(executor), std::move(target))) {}

HttpClient::~HttpClient() = default;

asio::awaitable<Result<HttpResponse>> HttpClient::request(std::string method, std::string path, std::string body,
                                                          std::string content_type) {
    for (;;) {
        auto taken = co_await impl_->take();
        if (!taken) co_return taken.error();
        ConnectionPtr connection = std::move(*taken);
        const auto message = impl_->message(method, path, body, content_type);
        Parser parser;
        set_limits(parser);
        const auto error = co_await exchange(*connection, message, parser);
        if (error) {
            const bool unanswered = connection->used && !parser.got_some() && was_closed(error);
            if (unanswered && repeatable(method)) continue;
            co_return unavailable(impl_->target, error.message());
        }
        const bool keep = parser.get().keep_alive();
        connection->used = true;
        if (keep && impl_->idle.size() < idle_connections_max) impl_->idle.push_back(std::move(connection));
        co_return response_of(parser.release());
    }
}

asio::awaitable<Result<HttpResponse>> HttpClient::stream(std::string path,
                                                         std::function<void(std::string_view)> chunk) {
    auto made = co_await impl_->connect();
    if (!made) co_return made.error();
    ConnectionPtr connection = std::move(*made);
    const auto message = impl_->message("GET", path, "", "");
    auto& lowest = beast::get_lowest_layer(connection->stream);
    lowest.expires_after(answer_time);
    auto [write_error, written] = co_await http::async_write(connection->stream, message, nothrow);
    (void)written;
    if (write_error) co_return unavailable(impl_->target, write_error.message());
    Parser parser;
    set_limits(parser);
    auto error = co_await read_until(connection->stream, connection->buffer, parser, head_done);
    if (error) co_return unavailable(impl_->target, error.message());
    lowest.expires_never();
    if (parser.get().result_int() >= 400)
        error = co_await read_until(connection->stream, connection->buffer, parser, whole);
    while (!parser.is_done() && !error) {
        error = co_await read_until(connection->stream, connection->buffer, parser, some_body);
        std::string& body = parser.get().body();
        if (!body.empty()) chunk(body);
        body.clear();
    }
    if (error) co_return unavailable(impl_->target, error.message());
    co_return response_of(parser.release());
}

}  // namespace shed
