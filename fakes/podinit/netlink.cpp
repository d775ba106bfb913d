#include "fakes/podinit/netlink.hpp"

#include "fakes/podinit/util.hpp"

#include <arpa/inet.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace shed::podinit {

namespace {

// A request under construction: a header, a fixed part, then attributes that may nest.
class Message {
public:
    template <class Fixed>
    Message(std::uint16_t type, std::uint16_t flags, const Fixed& fixed) {
        nlmsghdr header{};
        header.nlmsg_type = type;
        header.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
        put(&header, sizeof header);
        put(&fixed, sizeof fixed);
    }
    void add(std::uint16_t type, const void* data, std::size_t size) {
        rtattr attribute{};
        attribute.rta_type = type;
        attribute.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size));
        put(&attribute, sizeof attribute);
        put(data, size);
        pad();
    }
    void add(std::uint16_t type, const char* text) { add(type, text, std::strlen(text) + 1); }
    void add(std::uint16_t type, std::uint32_t value) { add(type, &value, sizeof value); }
    std::size_t begin(std::uint16_t type) {
        const std::size_t at = data_.size();
        add(type, nullptr, 0);
        return at;
    }
    void end(std::size_t at) {
        rtattr attribute{};
        std::memcpy(&attribute, data_.data() + at, sizeof attribute);
        attribute.rta_len = static_cast<std::uint16_t>(data_.size() - at);
        std::memcpy(data_.data() + at, &attribute, sizeof attribute);
    }
    template <class Fixed>
    void put_fixed(const Fixed& fixed) {
        put(&fixed, sizeof fixed);
        pad();
    }
    // Sends it and waits for the kernel's verdict; errno tells the rest.
    bool perform();

private:
    void put(const void* data, std::size_t size) {
        if (size > 0) data_.append(static_cast<const char*>(data), size);
    }
    void pad() { data_.resize(NLMSG_ALIGN(data_.size()), '\0'); }
    std::string data_;
};

bool Message::perform() {
    const auto length = static_cast<std::uint32_t>(data_.size());
    std::memcpy(data_.data() + offsetof(nlmsghdr, nlmsg_len), &length, sizeof length);
    const Descriptor socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!socket.open() || ::send(socket.get(), data_.data(), data_.size(), 0) < 0) return false;
    char answer[8192];
    const ssize_t n = ::recv(socket.get(), answer, sizeof answer, 0);
    if (n < static_cast<ssize_t>(sizeof(nlmsghdr) + sizeof(nlmsgerr))) return false;
    nlmsgerr verdict{};
    std::memcpy(&verdict, answer + sizeof(nlmsghdr), sizeof verdict);
    errno = -verdict.error;
    return verdict.error == 0;
}

std::string result(bool done, const std::string& doing) { return done ? "" : failure(doing); }

ifinfomsg link_of(const char* name) {
    ifinfomsg info{};
    info.ifi_index = static_cast<int>(::if_nametoindex(name));
    return info;
}

}  // namespace

std::string set_link_up(const char* name) {
    ifinfomsg info = link_of(name);
    info.ifi_flags = info.ifi_change = IFF_UP;
    return result(Message(RTM_NEWLINK, 0, info).perform(), std::string("raise ") + name);
}

std::string make_bridge(const char* name) {
    // Without an address of its own a bridge has the lowest of its ports', which changes as pods come
    // and go; pods that stay would send to the old one until their neighbour entry expires.
    constexpr unsigned char address[] = {0x02, 0x54, 0x53, 0, 0, 1};  // locally administered
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
    message.add(IFLA_IFNAME, name);
    message.add(IFLA_ADDRESS, address, sizeof address);
    const std::size_t info = message.begin(IFLA_LINKINFO);
    message.add(IFLA_INFO_KIND, "bridge");
    message.end(info);
    return result(message.perform(), std::string("make bridge ") + name);
}

std::string make_veth(const char* host_end, const char* pod_end, int pid, const char* bridge, const char* address) {
    unsigned char link_address[] = {0x02, 0x54, 0, 0, 0, 0};
    if (::inet_pton(AF_INET, address, link_address + 2) != 1) return std::string("no IPv4 address: ") + address;
    Message message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, ifinfomsg{});
    message.add(IFLA_IFNAME, host_end);
    message.add(IFLA_MASTER, ::if_nametoindex(bridge));
    const std::size_t info = message.begin(IFLA_LINKINFO);
    message.add(IFLA_INFO_KIND, "veth");
    const std::size_t data = message.begin(IFLA_INFO_DATA);
    const std::size_t peer = message.begin(VETH_INFO_PEER);
    message.put_fixed(ifinfomsg{});
    message.add(IFLA_IFNAME, pod_end);
    message.add(IFLA_ADDRESS, link_address, sizeof link_address);
    message.add(IFLA_NET_NS_PID, static_cast<std::uint32_t>(pid));
    message.end(peer);
    message.end(data);
    message.end(info);
    if (!message.perform()) return failure(std::string("make veth ") + host_end);
    return set_link_up(host_end);
}

std::string add_address(const char* interface, const char* address, int prefix) {
    ifaddrmsg info{};
    info.ifa_family = AF_INET;
    info.ifa_prefixlen = static_cast<unsigned char>(prefix);
    info.ifa_index = ::if_nametoindex(interface);
    in_addr bytes{};
    if (::inet_pton(AF_INET, address, &bytes) != 1) return std::string("no IPv4 address: ") + address;
    Message message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, info);
    message.add(IFA_LOCAL, &bytes, sizeof bytes);
    message.add(IFA_ADDRESS, &bytes, sizeof bytes);
    return result(message.perform(), std::string("give ") + interface + " the address " + address);
}

std::string add_default_route(const char* gateway) {
    rtmsg route{};
    route.rtm_family = AF_INET;
    route.rtm_table = RT_TABLE_MAIN;
    route.rtm_protocol = RTPROT_BOOT;
    route.rtm_scope = RT_SCOPE_UNIVERSE;
    route.rtm_type = RTN_UNICAST;
    in_addr bytes{};
    ::inet_pton(AF_INET, gateway, &bytes);
    Message message(RTM_NEWROUTE, NLM_F_CREATE, route);
    message.add(RTA_GATEWAY, &bytes, sizeof bytes);
    return result(message.perform(), std::string("route by ") + gateway);
}

}  // namespace shed::podinit
