#include "fakes/net/gateway.hpp"

#include "fakes/base/log.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <fstream>
#include <map>
#include <sstream>

namespace asio = boost::asio;
using asio::ip::tcp;

namespace shed {

namespace {

constexpr auto rescan_every = std::chrono::milliseconds(250);
constexpr auto accept_pause = std::chrono::milliseconds(100);
constexpr std::size_t head_bytes_max = 64 * 1024;
constexpr auto nothrow = asio::as_tuple(asio::use_awaitable);
constexpr std::string_view host_name = "host.trainshed.internal";

std::string read_all(const char* path) {
    std::ifstream in(path);
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

asio::awaitable<void> copy(tcp::socket& from, tcp::socket& to) {
    std::array<char, 16 * 1024> buffer;
    for (;;) {
        auto [read_error, size] = co_await from.async_read_some(asio::buffer(buffer), nothrow);
        if (read_error) break;
        auto [write_error, sent] = co_await asio::async_write(to, asio::buffer(buffer.data(), size), nothrow);
        (void)sent;
        if (write_error) break;
    }
    boost::system::error_code ignored;
    to.shutdown(tcp::socket::shutdown_send, ignored);
}

asio::awaitable<void> copy_both(tcp::socket& a, tcp::socket& b) {
    using namespace asio::experimental::awaitable_operators;
    co_await (copy(a, b) && copy(b, a));
}

asio::awaitable<bool> connect_to(tcp::socket& socket, std::string host, std::string port) {
    if (host == host_name) host = "127.0.0.1";
    tcp::resolver resolver(socket.get_executor());
    auto [resolve_error, endpoints] = co_await resolver.async_resolve(host, port, nothrow);
    if (resolve_error) co_return false;
    auto [connect_error, endpoint] = co_await asio::async_connect(socket, endpoints, nothrow);
    (void)endpoint;
    co_return !connect_error;
}

asio::awaitable<void> mirror(tcp::socket client, int port) {
    tcp::socket host(client.get_executor());
    if (co_await connect_to(host, "127.0.0.1", std::to_string(port)))
        co_await copy_both(client, host);
}

asio::awaitable<void> refuse(tcp::socket& client, std::string answer) {
    answer = "HTTP/1.1 " + answer + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    co_await asio::async_write(client, asio::buffer(answer), nothrow);
}

// One request per connection for plain HTTP: "Connection: close" is asked of the origin, so that the next request,
// perhaps to another host, comes on a connection of its own.
std::string without_hop_headers(const std::string& headers) {
    std::istringstream in(headers);
    std::string out;
    for (std::string line; std::getline(in, line) && line != "\r";) {
        std::string lower = line.substr(0, line.find(':'));
        for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        if (lower == "connection" || lower == "proxy-connection" || lower == "proxy-authorization")
            continue;
        out += line + "\n";
    }
    return out + "Connection: close\r\n\r\n";
}

asio::awaitable<void> proxy(tcp::socket client) {
    std::string head;
    auto [read_error, size] = co_await asio::async_read_until(
        client, asio::dynamic_buffer(head, head_bytes_max), "\r\n\r\n", nothrow);
    if (read_error) co_return;
    const std::size_t line_end = head.find("\r\n");
    const auto target = parse_proxy_request(head.substr(0, line_end));
    if (!target) {
        co_await refuse(client, "400 Bad Request");
        co_return;
    }
    tcp::socket origin(client.get_executor());
    if (!co_await connect_to(origin, target->host, target->port)) {
        co_await refuse(client, "502 Bad Gateway");
        co_return;
    }
    std::string first;
    if (!target->tunnel) {
        const std::string headers = head.substr(line_end + 2, size - line_end - 2);
        first = target->request_line + "\r\n" + without_hop_headers(headers);
    } else {
        std::string established = "HTTP/1.1 200 Connection established\r\n\r\n";
        co_await asio::async_write(client, asio::buffer(established), nothrow);
    }
    first += head.substr(size);
    co_await asio::async_write(origin, asio::buffer(first), nothrow);
    co_await copy_both(client, origin);
}

}  // namespace

std::set<int> listening_ports(const std::string& proc_net_tcp) {
    std::set<int> ports;
    std::istringstream in(proc_net_tcp);
    std::string line, slot, local, remote, state;
    while (std::getline(in, line)) {
        std::istringstream words(line);
        if (!(words >> slot >> local >> remote >> state) || state != "0A") continue;
        const auto colon = local.find(':');
        if (colon == std::string::npos) continue;
        const std::string address = local.substr(0, colon);
        const bool everywhere = address.find_first_not_of('0') == std::string::npos;
        // 127.0.0.1 and ::1, as the kernel prints them: 32-bit words in host order.
        const bool loopback = address == "0100007F" || address == "00000000000000000000000001000000";
        int port = 0;
        std::from_chars(local.data() + colon + 1, local.data() + local.size(), port, 16);
        if ((everywhere || loopback) && port > 0) ports.insert(port);
    }
    return ports;
}

std::optional<ProxyTarget> parse_proxy_request(const std::string& request_line) {
    std::istringstream words(request_line);
    std::string method, target, version, extra;
    if (!(words >> method >> target >> version) || (words >> extra)) return std::nullopt;
    if (!version.starts_with("HTTP/1.")) return std::nullopt;
    ProxyTarget result;
    result.tunnel = method == "CONNECT";
    std::string authority = target, path;
    if (!result.tunnel) {
        if (!target.starts_with("http://")) return std::nullopt;
        const auto slash = target.find('/', 7);
        authority = target.substr(7, slash == std::string::npos ? slash : slash - 7);
        path = slash == std::string::npos ? "/" : target.substr(slash);
    }
    const auto colon = authority.rfind(':');
    const bool has_port = colon != std::string::npos && authority.find(']', colon) == std::string::npos;
    result.host = authority.substr(0, has_port ? colon : std::string::npos);
    result.port = has_port ? authority.substr(colon + 1) : (result.tunnel ? "443" : "80");
    if (result.host.size() > 2 && result.host.front() == '[')
        result.host = result.host.substr(1, result.host.size() - 2);
    const bool digits = result.port.find_first_not_of("0123456789") == std::string::npos;
    if (result.host.empty() || result.port.empty() || !digits) return std::nullopt;
    if (!result.tunnel) result.request_line = method + " " + path + " " + version;
    return result;
}

// Its coroutines share it: they end only when the loop goes on, perhaps after the gateway has gone.
struct HostGateway::Impl : std::enable_shared_from_this<Impl> {
    using Self = std::shared_ptr<Impl>;
    Impl(asio::any_io_executor e, Listen l)
        : listen(std::move(l)), rescan(e), tasks(e), connections(e) {}

    static asio::awaitable<void> follow_host(Self self);
    static asio::awaitable<void> open(Self self, int port);
    static asio::awaitable<void> accept(Self self, std::shared_ptr<tcp::acceptor> acceptor, int port);
    void close_all_but(const std::set<int>& wanted);

    Listen listen;
    asio::steady_timer rescan;
    std::map<int, std::shared_ptr<tcp::acceptor>> open_ports;
    Tasks tasks, connections;
    bool stopped = false;
};

void HostGateway::Impl::close_all_but(const std::set<int>& wanted) {
    std::erase_if(open_ports, [&](auto& entry) {
        if (wanted.contains(entry.first)) return false;
        boost::system::error_code ignored;
        if (entry.second) entry.second->close(ignored);
        return true;
    });
}

asio::awaitable<void> HostGateway::Impl::follow_host(Self self) {
    co_await open(self, proxy_port);
    while (!self->stopped) {
        std::set<int> wanted = listening_ports(read_all("/proc/net/tcp"));
        wanted.merge(listening_ports(read_all("/proc/net/tcp6")));
        wanted.insert(proxy_port);
        self->close_all_but(wanted);
        for (const int port : wanted)
            if (!self->open_ports.contains(port)) co_await open(self, port);
        self->rescan.expires_after(rescan_every);
        co_await self->rescan.async_wait(asio::use_awaitable);
    }
}

asio::awaitable<void> HostGateway::Impl::open(Self self, int port) {
    // Also when it fails: a port that cannot be mirrored is not tried again and again.
    self->open_ports[port] = nullptr;
    Result<int> descriptor = co_await self->listen(port);
    if (!descriptor) {
        log(LogLevel::info, "gateway.listen_failed",
            {{"port", std::to_string(port)}, {"why", descriptor.error().message}});
        co_return;
    }
    auto acceptor = std::make_shared<tcp::acceptor>(self->tasks.executor());
    acceptor->assign(tcp::v4(), *descriptor);
    if (self->stopped) co_return;
    self->open_ports[port] = acceptor;
    self->tasks.spawn("gateway.accept", accept(self, acceptor, port));
}

asio::awaitable<void> HostGateway::Impl::accept(Self self, std::shared_ptr<tcp::acceptor> acceptor, int port) {
    for (;;) {
        auto [error, socket] = co_await acceptor->async_accept(nothrow);
        if (error == asio::error::operation_aborted || !acceptor->is_open()) co_return;
        if (error) {
            // Out of descriptors, most likely: wait for connections to end rather than spin.
            asio::steady_timer pause(self->tasks.executor(), accept_pause);
            co_await pause.async_wait(nothrow);
            continue;
        }
        if (port == proxy_port) self->connections.spawn("gateway.proxy", proxy(std::move(socket)));
        else self->connections.spawn("gateway.mirror", mirror(std::move(socket), port));
    }
}

HostGateway::HostGateway(asio::any_io_executor executor, Listen listen)
    : impl_(std::make_shared<Impl>(std::move(executor), std::move(listen))) {}

HostGateway::~HostGateway() { stop(); }

void HostGateway::start() { impl_->tasks.spawn("gateway", Impl::follow_host(impl_)); }

void HostGateway::stop() {
    impl_->stopped = true;
    impl_->tasks.cancel();
    impl_->connections.cancel();
    impl_->close_all_but({});
}

}  // namespace shed
