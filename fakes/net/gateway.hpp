#pragma once
// How pods reach this host and, through it, the Internet, without privileges, NAT or a tun device.
//   host.trainshed.internal:PORT   every TCP port that listens on the host's loopback or on all its addresses, mirrored
//   host.trainshed.internal:3128   an HTTP proxy: CONNECT to any host the machine reaches, and plain GET http://...;
//                                  the name host.trainshed.internal in a request means the host's loopback
// The listening sockets are made inside the pods' network namespace by podinit; connections are copied in user space.
#include "fakes/base/result.hpp"
#include "fakes/net/tasks.hpp"

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace shed {

class HostGateway {
public:
    static constexpr int proxy_port = 3128;
    // A listening TCP socket on `port` of the gateway's address in the pods' network namespace.
    using Listen = std::function<boost::asio::awaitable<Result<int>>(int port)>;

    HostGateway(boost::asio::any_io_executor executor, Listen listen);
    ~HostGateway();
    void start();
    void stop();

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

// Ports of /proc/net/tcp and tcp6 text that listen on loopback or on every address.
std::set<int> listening_ports(const std::string& proc_net_tcp);
// "GET http://host:81/a HTTP/1.1" -> what to connect to and the request line to send on; nullopt when it is none.
struct ProxyTarget {
    std::string host;
    std::string port;
    bool tunnel = false;       // CONNECT
    std::string request_line;  // for the origin server; empty for a tunnel
};
std::optional<ProxyTarget> parse_proxy_request(const std::string& request_line);

}  // namespace shed
