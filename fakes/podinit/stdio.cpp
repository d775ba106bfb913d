#include "fakes/podinit/stdio.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace shed::podinit {

namespace {

constexpr const char* stream_words[] = {"stdin", "stdout", "stderr"};

}  // namespace

bool send_descriptor(int socket, int descriptor) {
    char byte = 'd';
    iovec data = {&byte, 1};
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
    return ::sendmsg(socket, &message, MSG_NOSIGNAL) == 1;
}

int receive_descriptor(int socket) {
    char byte = 0;
    iovec data = {&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    if (::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT) != 1) return -1;
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) return -1;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

bool Stdio::take(const Record& record) {
    if (record[0] == "tty") return terminal_ = true;
    for (int i = 0; i < 3; ++i)
        if (record[0] == stream_words[i]) return wanted_[i] = true;
    return false;
}

std::string Stdio::open(long uid, bool single) {
    if (terminal_) {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
            return failure("socketpair");
        sender_.reset(ends[0]);
        receiver_.reset(ends[1]);
        return "";
    }
    for (int i = 0; i < 3; ++i) {
        if (!wanted_[i]) continue;
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) return failure("pipe");
        inner_[i].reset(ends[i == 0 ? 0 : 1]);
        outer_[i].reset(ends[i == 0 ? 1 : 0]);
        // Both ends are one inode.
        if (!single && ::fchown(ends[0], static_cast<uid_t>(uid), static_cast<gid_t>(-1)) != 0)
            return failure("give the pipes to uid " + std::to_string(uid));
    }
    return "";
}

std::string Stdio::become(long uid, bool single) {
    ::setsid();
    if (terminal_) return become_terminal(uid, single);
    for (int i = 0; i < 3; ++i) {
        const int from =
            inner_[i].open() ? inner_[i].get() : ::open("/dev/null", O_RDWR | O_CLOEXEC);
        if (from < 0 || ::dup2(from, i) < 0) return failure(stream_words[i]);
    }
    return "";
}

// From the container's own devpts, so that the terminal has a name there.
std::string Stdio::become_terminal(long uid, bool single) {
    const Descriptor master(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master.open()) return failure("open /dev/ptmx");
    const int unlocked = 0;
    if (::ioctl(master.get(), TIOCSPTLCK, &unlocked) != 0) return failure("unlock the terminal");
    const Descriptor terminal(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal.open()) return failure("open the terminal");
    if (!single && ::fchown(terminal.get(), static_cast<uid_t>(uid), static_cast<gid_t>(-1)) != 0)
        return failure("give the terminal to uid " + std::to_string(uid));
    if (::ioctl(terminal.get(), TIOCSCTTY, 0) != 0)
        return failure("make the terminal the controlling one");
    for (int i = 0; i < 3; ++i)
        if (::dup2(terminal.get(), i) < 0) return failure(stream_words[i]);
    // Once for the holder, and once for the first process of a container.
    const bool sent = send_descriptor(sender_.get(), master.get()) &&
                      send_descriptor(sender_.get(), master.get());
    return sent ? "" : failure("pass the terminal on");
}

void Stdio::forget_outer() {
    for (Descriptor& end : outer_) end.reset();
}

std::vector<int> Stdio::release() {
    std::vector<int> ends;
    if (terminal_) {
        if (const int master = receive_descriptor(receiver_.get()); master >= 0)
            ends.push_back(master);
        return ends;
    }
    for (Descriptor& end : outer_)
        if (end.open()) ends.push_back(end.release());
    return ends;
}

}  // namespace shed::podinit
