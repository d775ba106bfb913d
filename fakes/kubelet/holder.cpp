#include "fakes/kubelet/holder.hpp"

#include "fakes/podinit/protocol.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cstring>

namespace shed::kubelet {

namespace asio = boost::asio;

namespace {

constexpr std::size_t packet_bytes_max = 65'536, descriptors_max = 8;

Error system_error(const std::string& what) {
    return Error{Reason::environment, what + ": " + std::strerror(errno)};
}

}  // namespace

HolderChannel::Waiter::Waiter(const asio::any_io_executor& executor)
    : woken(executor, asio::steady_timer::time_point::max()) {}

HolderChannel::Waiter::~Waiter() {
    if (!reply || !*reply) return;
    for (const int descriptor : (*reply)->descriptors) ::close(descriptor);
}

HolderChannel::HolderChannel(asio::any_io_executor executor, int socket)
    : socket_(std::move(executor), socket) {
    boost::system::error_code ignored;
    socket_.non_blocking(true, ignored);
}

HolderChannel::~HolderChannel() = default;

asio::awaitable<Result<HolderReply>> HolderChannel::command(std::string line,
                                                            std::vector<int> descriptors) {
    if (closed_) co_return Error{Reason::unavailable, "podinit's holder is gone"};
    const auto waiter = std::make_shared<Waiter>(socket_.get_executor());
    struct iovec part = {line.data(), line.size()};
    struct msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * descriptors_max)> control =
        {};
    if (!descriptors.empty()) {
        SHED_CHECK(descriptors.size() <= descriptors_max);
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors.size());
        struct cmsghdr* header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int) * descriptors.size());
        std::memcpy(CMSG_DATA(header), descriptors.data(), sizeof(int) * descriptors.size());
    }
    while (::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL) < 0) {
        if (errno != EAGAIN && errno != EINTR)
            co_return system_error("podinit's holder cannot be told `" + line + "`");
        co_await socket_.async_wait(asio::posix::stream_descriptor::wait_write,
                                    asio::use_awaitable);
    }
    waiters_.push_back(waiter);
    co_await waiter->woken.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!waiter->reply)
        co_return Error{Reason::unavailable, "the wait for podinit's holder was given up"};
    Result<HolderReply> reply = std::move(*waiter->reply);
    waiter->reply.reset();
    co_return reply;
}

HolderChannel::Packet HolderChannel::receive() {
    Packet packet;
    std::array<char, packet_bytes_max> buffer;
    alignas(struct cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * descriptors_max)> control =
        {};
    struct iovec part = {buffer.data(), buffer.size()};
    struct msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t length =
        ::recvmsg(socket_.native_handle(), &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    packet.again = length < 0 && (errno == EAGAIN || errno == EINTR);
    packet.end = length == 0 || (length < 0 && !packet.again);
    if (length <= 0) return packet;
    packet.text.assign(buffer.data(), static_cast<std::size_t>(length));
    for (struct cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        packet.descriptors.resize((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        std::memcpy(packet.descriptors.data(), CMSG_DATA(header),
                    packet.descriptors.size() * sizeof(int));
    }
    return packet;
}

asio::awaitable<void> HolderChannel::read_all() {
    for (;;) {
        Packet packet = receive();
        if (packet.end) break;
        if (packet.again) {
            const auto [ec] = co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read,
                                                          asio::as_tuple(asio::use_awaitable));
            if (ec) break;
            continue;
        }
        while (!packet.text.empty() && (packet.text.back() == '\n' || packet.text.back() == '\0'))
            packet.text.pop_back();
        if (packet.text.starts_with("event ")) {
            if (event_) event_(packet.text.substr(6));
        } else if (packet.text == "ok" || packet.text.starts_with("ok ")) {
            HolderReply reply;
            if (packet.text.size() > 3) reply.words = packet.text.substr(3);
            reply.descriptors = std::move(packet.descriptors);
            answer(std::move(reply));
        } else {
            const bool known = packet.text.starts_with("error ");
            answer(Error{Reason::environment, known ? packet.text.substr(6) : packet.text});
        }
    }
    close_all();
}

void HolderChannel::answer(Result<HolderReply> reply) {
    if (waiters_.empty()) return;
    const auto waiter = waiters_.front();
    waiters_.pop_front();
    waiter->reply = std::move(reply);
    waiter->woken.cancel();
}

void HolderChannel::close_all() {
    closed_ = true;
    while (!waiters_.empty()) answer(Error{Reason::unavailable, "podinit's holder is gone"});
}

std::string default_podinit() {
    char path[4096];
    const ssize_t length = ::readlink("/proc/self/exe", path, sizeof path);
    std::string self(path, length > 0 ? static_cast<std::size_t>(length) : 0);
    const std::string folder = self.substr(0, self.rfind('/') + 1);
    const std::string installed = folder + "../libexec/trainshed/podinit";
    return ::access(installed.c_str(), X_OK) == 0 ? installed : folder + "podinit";
}

namespace {

struct Pipe {
    int read = -1, write = -1;
};

// Both ends above the numbers that the holder's protocol uses, so that moving one there cannot hit
// the other.
Result<Pipe> make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("pipe");
    Pipe pipe{::fcntl(ends[0], F_DUPFD_CLOEXEC, 10), ::fcntl(ends[1], F_DUPFD_CLOEXEC, 10)};
    ::close(ends[0]);
    ::close(ends[1]);
    if (pipe.read < 0 || pipe.write < 0) return system_error("pipe");
    return pipe;
}

}  // namespace

namespace {
constexpr int kept_fd = podinit::ready_fd + 1;  // podinit's keeper keeps it, the holder closes it
}  // namespace

Result<HolderProcess> spawn_holder(const HolderOptions& options) {
    const std::string& podinit = options.podinit;
    if (::access(podinit.c_str(), X_OK) != 0)
        return system_error("podinit is missing at " + podinit);
    const auto lifeline = make_pipe();
    if (!lifeline) return lifeline.error();
    const auto ready = make_pipe();
    if (!ready) return ready.error();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, lifeline->read, podinit::lifeline_fd);
    ::posix_spawn_file_actions_adddup2(&actions, ready->write, podinit::ready_fd);
    // Its own session: Ctrl-C is for trainshed, which then ends the holder by the lifeline.
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    if (options.keep_open >= 0)
        ::posix_spawn_file_actions_adddup2(&actions, options.keep_open, kept_fd);
    std::string name = "podinit", mode = "holder", where = options.directory;
    std::string also = options.also_remove;
    std::vector<std::string> shared = options.shared;
    std::vector<char*> arguments = {name.data(), mode.data(), where.data(), also.data()};
    for (std::string& source : shared) arguments.push_back(source.data());
    arguments.push_back(nullptr);
    // None of the user's variables, in which secrets may be: /proc/1/environ of a container is the holder's.
    std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
    char* variables[] = {path.data(), nullptr};
    HolderProcess process;
    const int failed =
        ::posix_spawn(&process.pid, podinit.c_str(), &actions, &attributes, arguments.data(), variables);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    ::close(lifeline->read);
    ::close(ready->write);
    process.lifeline = lifeline->write;
    process.ready = ready->read;
    if (failed == 0) return process;
    ::close(process.lifeline);
    ::close(process.ready);
    return Error{Reason::environment, "cannot run " + podinit + ": " + std::strerror(failed)};
}

Result<int> connect_holder(const std::string& socket_path) {
    struct sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    if (socket_path.size() >= sizeof address.sun_path) {
        return Error{
            Reason::environment,
            "the path " + socket_path + " is too long for a socket: choose a shorter directory"};
    }
    std::memcpy(address.sun_path, socket_path.c_str(), socket_path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return system_error("socket");
    if (::connect(fd, reinterpret_cast<struct sockaddr*>(&address), sizeof address) == 0) return fd;
    const Error error = system_error("cannot reach podinit's holder at " + socket_path);
    ::close(fd);
    return error;
}

}  // namespace shed::kubelet
