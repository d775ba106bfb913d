#include "fakes/net/http_server.hpp"

#include "fakes/base/log.hpp"
#include "fakes/net/http_session.hpp"
#include "fakes/net/tasks.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core.hpp>
#include <set>

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace shed {

namespace {

constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
constexpr auto accept_pause = std::chrono::milliseconds(100);
constexpr std::size_t turned_away_max = 200;

asio::ssl::context make_context(const TlsIdentity& identity) {
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_sslv2 |
                        asio::ssl::context::no_sslv3 | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1);
    context.use_certificate_chain(asio::buffer(identity.cert_pem + identity.ca_pem));
    context.use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem);
    return context;
}

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
    for (const auto& [field, value] : headers)
        if (beast::iequals(beast::string_view(field.data(), field.size()),
                           beast::string_view(name.data(), name.size())))
            return value;
    return {};
}

// Its coroutines share it: they end only when the loop goes on, perhaps after the server has gone.
struct HttpServer::Impl : std::enable_shared_from_this<Impl> {
    using Self = std::shared_ptr<Impl>;
    Impl(asio::any_io_executor e, const TlsIdentity& identity, HttpLimits l, HttpHandler h)
        : executor(e), context(make_context(identity)), limits(l), handler(std::move(h)), tasks(e) {}

    static asio::awaitable<void> accept(Self self, std::shared_ptr<tcp::acceptor> acceptor);
    static asio::awaitable<void> serve(Self self, std::shared_ptr<HttpSession> session, bool welcome);
    bool has_room();
    void open(tcp::socket socket);
    void start(std::shared_ptr<tcp::acceptor> acceptor);

    asio::any_io_executor executor;
    asio::ssl::context context;
    HttpLimits limits;
    HttpHandler handler;
    std::vector<std::shared_ptr<tcp::acceptor>> acceptors;
    std::set<std::shared_ptr<HttpSession>> sessions;
    Tasks tasks;
    bool crowded = false;
};

asio::awaitable<void> HttpServer::Impl::accept(Self self, std::shared_ptr<tcp::acceptor> acceptor) {
    for (;;) {
        auto [error, socket] = co_await acceptor->async_accept(nothrow);
        if (!acceptor->is_open() || error == asio::error::operation_aborted) co_return;
        if (error) {
            // Out of descriptors, most likely: wait for connections to end rather than spin.
            asio::steady_timer pause(self->executor, accept_pause);
            co_await pause.async_wait(nothrow);
            continue;
        }
        try {
            self->open(std::move(socket));
        } catch (const std::exception& e) {
            log(LogLevel::error, "http.accept_failed", {{"why", e.what()}});
        }
    }
}

// Said once each time it happens.
bool HttpServer::Impl::has_room() {
    const bool before = std::exchange(crowded, sessions.size() >= limits.connections_max);
    if (crowded && !before)
        log(LogLevel::warn, "http.crowded", {{"connections_max", std::to_string(limits.connections_max)},
                                             {"hint", "further connections get 429 until others end"}});
    return !crowded;
}

void HttpServer::Impl::open(tcp::socket socket) {
    const bool welcome = has_room();
    if (sessions.size() >= limits.connections_max + turned_away_max) return;
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    auto session = std::make_shared<HttpSession>(std::move(socket), context, limits, handler);
    sessions.insert(session);
    tasks.spawn("http.session", serve(shared_from_this(), session, welcome));
}

asio::awaitable<void> HttpServer::Impl::serve(Self self, std::shared_ptr<HttpSession> session, bool welcome) {
    try {
        if (welcome) co_await session->run();
        else co_await session->turn_away();
    } catch (const std::exception& e) {
        if (!session->gone()) log(LogLevel::error, "http.session_failed", {{"why", e.what()}});
    }
    session->close();
    self->sessions.erase(session);
}

void HttpServer::Impl::start(std::shared_ptr<tcp::acceptor> acceptor) {
    acceptors.push_back(acceptor);
    tasks.spawn("http.accept", accept(shared_from_this(), acceptor));
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
    impl_->start(std::move(acceptor));
    return bound;
}

void HttpServer::listen_on(int descriptor) {
    auto acceptor = std::make_shared<tcp::acceptor>(impl_->executor);
    acceptor->assign(tcp::v4(), descriptor);
    impl_->start(std::move(acceptor));
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
