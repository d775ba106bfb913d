// The connection to podinit's holder, with a test at its other end.
#include "fakes/kubelet/holder.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <cstring>

namespace shed::kubelet {
namespace {

boost::asio::awaitable<void> ask(HolderChannel& channel) {
    std::string line = "dial x 80 4";
    const auto reply = co_await channel.command(std::move(line));
    static_cast<void>(reply);
}

void reply_with(int socket, int descriptor) {
    char text[] = {'o', 'k'};
    iovec data = {text, sizeof text};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    ASSERT_EQ(::sendmsg(socket, &message, 0), 2);
}

// Who asked may have been cancelled, as when a client of port-forward goes: then nobody closes what
// comes.
TEST(HolderChannel, ClosesDescriptorsNobodyWaitsFor) {
    int sockets[2], ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets), 0);
    ASSERT_EQ(::pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    boost::asio::io_context io{1};
    HolderChannel channel(io.get_executor(), sockets[0]);
    Tasks reader(io.get_executor()), asker(io.get_executor());
    reader.spawn("read", channel.read_all());
    asker.spawn("ask", ask(channel));
    for (int turn = 0; turn < 100; ++turn) io.poll();
    asker.cancel();
    for (int turn = 0; turn < 100; ++turn) io.poll();
    EXPECT_TRUE(asker.empty());
    reply_with(sockets[1], ends[1]);
    ::close(ends[1]);
    for (int turn = 0; turn < 100; ++turn) io.poll();
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 0) << "the other end is still open";
    ::close(sockets[1]);
    io.run();
    ::close(ends[0]);
}

}  // namespace
}  // namespace shed::kubelet
