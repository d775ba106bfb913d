#include "fakes/net/gateway.hpp"

#include "tests/net/peer.hpp"

#include <sys/socket.h>

namespace shed {
namespace {

TEST(ListeningPorts, AreThoseAPodCouldMeanByTheHost) {
    const std::string text =
        "  sl  local_address rem_address   st tx_queue rx_queue\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n"   // 127.0.0.1:8080
        "   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n"   // 0.0.0.0:22
        "   2: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 00000000\n"   // established
        "   3: 0A01A8C0:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000\n";  // 192.168.1.10
    EXPECT_EQ(listening_ports(text), (std::set<int>{22, 8080}));
}

TEST(ProxyRequest, TunnelsToTheNamedHost) {
    const auto target = parse_proxy_request("CONNECT pypi.org:443 HTTP/1.1");
    ASSERT_TRUE(target);
    EXPECT_TRUE(target->tunnel);
    EXPECT_EQ(target->host, "pypi.org");
    EXPECT_EQ(target->port, "443");
}

TEST(ProxyRequest, SendsPlainRequestsOnInOriginForm) {
    const auto target = parse_proxy_request("GET http://host.trainshed.internal:81/simple/ HTTP/1.1");
    ASSERT_TRUE(target);
    EXPECT_FALSE(target->tunnel);
    EXPECT_EQ(target->host, "host.trainshed.internal");
    EXPECT_EQ(target->port, "81");
    EXPECT_EQ(target->request_line, "GET /simple/ HTTP/1.1");
}

TEST(ProxyRequest, KnowsAddressesInBracketsAndBareHosts) {
    EXPECT_EQ(parse_proxy_request("CONNECT [::1]:8443 HTTP/1.1")->host, "::1");
    EXPECT_EQ(parse_proxy_request("GET http://a HTTP/1.0")->request_line, "GET / HTTP/1.0");
}

TEST(ProxyRequest, RefusesWhatIsNone) {
    for (const char* line : {"", "GET / HTTP/1.1", "GET ftp://a/ HTTP/1.1", "CONNECT  HTTP/1.1",
                             "CONNECT a:b HTTP/1.1", "GET http://a/ HTTP/2", "GET http://a/ HTTP/1.1 x"})
        EXPECT_FALSE(parse_proxy_request(line)) << line;
}

// A gateway whose "pods' network" is this host's loopback.
class GatewayTest : public ::testing::Test {
protected:
    void start(std::function<Result<int>(int)> listen) {
        gateway = std::make_unique<HostGateway>(
            io.get_executor(), [listen = std::move(listen)](int wanted) -> asio::awaitable<Result<int>> {
                co_return listen(wanted);
            });
        gateway->start();
    }
    // Only the proxy is opened, on a free port.
    Result<int> open_proxy(int wanted) {
        if (wanted != HostGateway::proxy_port) return Error{Reason::conflict, "not in this test"};
        tcp::acceptor acceptor(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
        proxy = acceptor.local_endpoint();
        return acceptor.release();
    }

    asio::io_context io{1};
    std::unique_ptr<HostGateway> gateway;
    tcp::endpoint proxy;
};

TEST_F(GatewayTest, MayBeDestroyedWithOpenConnections) {
    start([this](int wanted) { return open_proxy(wanted); });
    while (proxy.port() == 0) io.run_one();
    tcp::socket client(io), late(io);
    client.connect(proxy);
    io.poll();
    late.connect(proxy);  // Accepted, but nobody knows yet.
    gateway.reset();
    io.restart();
    io.run();
    char byte = 0;
    boost::system::error_code error;
    client.read_some(asio::buffer(&byte, 1), error);
    EXPECT_TRUE(error);
}

// As when descriptors have run out: each accept() fails at once, until the socket listens.
TEST_F(GatewayTest, WaitsWhenItCannotAccept) {
    int descriptor = -1;
    start([&](int wanted) -> Result<int> {
        if (wanted != HostGateway::proxy_port) return Error{Reason::conflict, "not in this test"};
        tcp::acceptor deaf(io);
        deaf.open(tcp::v4());
        deaf.bind(tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
        proxy = deaf.local_endpoint();
        descriptor = deaf.release();
        return descriptor;
    });
    while (proxy.port() == 0) io.run_one();
    EXPECT_LT(io.run_for(std::chrono::milliseconds(50)), 100U);
    ASSERT_EQ(::listen(descriptor, 8), 0);
    tcp::socket client(io);
    client.connect(proxy);
    const std::string request = "GET / HTTP/1.1\r\n\r\n";
    asio::write(client, asio::buffer(request));
    std::string answer;
    asio::co_spawn(io, [&]() -> asio::awaitable<void> {
        char piece[512];
        auto [error, size] = co_await client.async_read_some(asio::buffer(piece), nothrow);
        if (!error) answer.assign(piece, size);
    }, asio::detached);
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (answer.empty() && std::chrono::steady_clock::now() < late) io.run_one_for(std::chrono::seconds(1));
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << answer;
}

}  // namespace
}  // namespace shed
