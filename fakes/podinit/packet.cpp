#include "fakes/podinit/packet.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace shed::podinit {

namespace {

constexpr std::size_t packet_bytes_max = 64 * 1024;  // as the kubelet's replies
constexpr std::size_t descriptors_max = 8;

}  // namespace

bool receive_packet(int socket, Packet& packet) {
    std::string buffer(packet_bytes_max, '\0');
    iovec data = {buffer.data(), buffer.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))];
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t n = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    if (n <= 0) return false;
    for (cmsghdr* h = CMSG_FIRSTHDR(&message); h != nullptr; h = CMSG_NXTHDR(&message, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS) continue;
        packet.passed.resize((h->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        std::memcpy(packet.passed.data(), CMSG_DATA(h), packet.passed.size() * sizeof(int));
    }
    if ((message.msg_flags & MSG_TRUNC) != 0)
        packet.error = "the command is longer than " + std::to_string(packet_bytes_max) + " bytes";
    if ((message.msg_flags & MSG_CTRUNC) != 0)
        packet.error = "the command carries more than " + std::to_string(descriptors_max) + " descriptors";
    packet.text.assign(buffer, 0, static_cast<std::size_t>(n));
    while (!packet.text.empty() && packet.text.back() == '\n') packet.text.pop_back();
    return true;
}

void send_reply(int client, const std::string& text, const std::vector<int>& give) {
    iovec data = {const_cast<char*>(text.data()), text.size()};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    alignas(cmsghdr) char control[CMSG_SPACE(descriptors_max * sizeof(int))] = {};
    if (!give.empty()) {
        const std::size_t bytes = give.size() * sizeof(int);
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(bytes);
        cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(bytes);
        std::memcpy(CMSG_DATA(header), give.data(), bytes);
    }
    ::sendmsg(client, &message, MSG_NOSIGNAL);
    for (const int descriptor : give) ::close(descriptor);
}

}  // namespace shed::podinit
