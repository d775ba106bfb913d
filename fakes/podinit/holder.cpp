#include "fakes/podinit/holder.hpp"

#include "fakes/podinit/dns.hpp"
#include "fakes/podinit/files.hpp"
#include "fakes/podinit/netlink.hpp"
#include "fakes/podinit/numbers.hpp"
#include "fakes/podinit/packet.hpp"
#include "fakes/podinit/pods.hpp"
#include "fakes/podinit/protocol.hpp"
#include "fakes/podinit/util.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace shed::podinit {

namespace {

std::string set_up_network() {
    std::string error = set_link_up("lo");
    if (error.empty()) error = make_bridge("shed0");
    if (error.empty()) error = add_address("shed0", gateway, 16);
    for (const char* address : {api_address, dns_address, host_address})
        if (error.empty()) error = add_address("lo", address, 32);
    if (error.empty()) error = set_link_up("shed0");
    return error;
}

std::string set_up_mounts(const std::string& directory) {
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failure("make mounts private");
    if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0)
        return failure("mount proc");
    const std::string mount_point = directory + "/.root";
    return make_directories(mount_point, 0755) ? "" : failure("make " + mount_point);
}

class Holder {
public:
    Holder(const Identity& identity, std::string directory, const std::vector<int>& shared)
        : identity_(identity), directory_(directory),
          pods_(directory, identity.map == Identity::Map::single, shared, [this](const std::string& event) { tell(event); }) {}

    std::string open();
    void run();
    void shut_down();

private:
    void tell(const std::string& event);
    void accept_client();
    void take_packet(int client);
    void drop(int client);
    std::string command(const std::vector<std::string>& words, const std::vector<int>& passed,
                        std::vector<int>& give, std::string& error);
    std::string container_command(const std::vector<std::string>& words, const std::vector<int>& passed,
                                  std::string& error);
    std::string stream_command(const std::vector<std::string>& words, const std::vector<int>& passed,
                               std::vector<int>& give, std::string& error);
    std::string socket_command(const std::vector<std::string>& words, std::vector<int>& give);
    std::string make_socket(const std::string& address, int port, bool listening, std::vector<int>& give);
    void reap();
    int wait_time() const;

    Identity identity_;
    std::string directory_;
    Pods pods_;
    NameServer names_;
    int listener_ = -1, signals_ = -1;
    std::vector<int> clients_;
    bool quit_ = false;
};

std::string Holder::open() {
    std::string error = set_up_mounts(directory_);
    if (error.empty()) error = set_up_network();
    if (error.empty()) error = names_.open();
    if (!error.empty()) return error;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    ::sigprocmask(SIG_SETMASK, &set, nullptr);
    signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    listener_ = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = directory_ + "/holder.sock";
    if (path.size() >= sizeof address.sun_path) return path + " is too long for a socket";
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const mode_t mask = ::umask(0177);
    const bool bound = ::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::umask(mask);
    if (signals_ < 0 || !bound || ::listen(listener_, 8) != 0) return failure("listen on " + path);
    return "";
}

int Holder::wait_time() const {
    const auto deadline = pods_.next_deadline();
    if (!deadline) return -1;
    const int left = milliseconds_until(*deadline);
    return left < 1 ? 1 : left;
}

void Holder::run() {
    while (!quit_) {
        std::vector<pollfd> watched = {{lifeline_fd, POLLIN, 0}, {signals_, POLLIN, 0},
                                       {names_.descriptor(), POLLIN, 0}, {listener_, POLLIN, 0}};
        for (const int client : clients_) watched.push_back({client, POLLIN, 0});
        if (::poll(watched.data(), watched.size(), wait_time()) < 0 && errno != EINTR) return;
        if (watched[0].revents != 0) return;  // The owner has gone: nobody ever writes to the lifeline.
        if (watched[1].revents != 0) reap();
        if (watched[2].revents != 0) names_.answer_one();
        for (std::size_t i = 4; i < watched.size(); ++i)
            if (watched[i].revents != 0) take_packet(watched[i].fd);
        if (watched[3].revents != 0) accept_client();
        pods_.kill_overdue();
    }
}

void Holder::reap() {
    signalfd_siginfo info{};
    while (::read(signals_, &info, sizeof info) > 0) continue;
    int status = 0;
    for (;;) {
        const pid_t pid = ::waitpid(-1, &status, WNOHANG);
        if (pid <= 0) return;
        pods_.reaped(pid, status);
    }
}

void Holder::shut_down() {
    pods_.stop_all();
    const std::int64_t deadline = steady_milliseconds() + lifeline_grace_ms;
    while (pods_.any_container() && steady_milliseconds() < deadline) {
        pollfd watched = {signals_, POLLIN, 0};
        ::poll(&watched, 1, milliseconds_until(deadline));
        reap();
    }
    ::kill(-1, SIGKILL);
    int status = 0;
    while (::waitpid(-1, &status, 0) > 0 || errno == EINTR) continue;
    remove_tree(directory_, false);
}

void Holder::tell(const std::string& event) {
    for (const int client : clients_) ::send(client, event.data(), event.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

void Holder::accept_client() {
    const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) clients_.push_back(client);
}

void Holder::drop(int client) {
    ::close(client);
    for (auto at = clients_.begin(); at != clients_.end(); ++at) {
        if (*at != client) continue;
        clients_.erase(at);
        return;
    }
}

void Holder::take_packet(int client) {
    Packet packet;
    if (!receive_packet(client, packet)) {
        drop(client);
        return;
    }
    std::vector<int> give;
    std::string error = packet.error, result;
    if (error.empty()) result = command(split(packet.text, ' '), packet.passed, give, error);
    for (const int descriptor : packet.passed) ::close(descriptor);
    const std::string reply = error.empty() ? (result.empty() ? "ok" : "ok " + result) : "error " + error;
    send_reply(client, reply, give);
}

std::string Holder::make_socket(const std::string& address, int port, bool listening, std::vector<int>& give) {
    Descriptor made(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int socket = made.get();
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port));
    if (socket < 0 || ::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) return "no IPv4 address: " + address;
    const int yes = 1;
    ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    auto* name = reinterpret_cast<sockaddr*>(&where);
    if (listening) {
        if (::bind(socket, name, sizeof where) != 0 || ::listen(socket, 128) != 0) return failure("listen on " + address);
    } else if (::connect(socket, name, sizeof where) != 0 && errno != EINPROGRESS) {
        return failure("connect to " + address);
    }
    give.push_back(made.release());
    return "";
}

std::string Holder::container_command(const std::vector<std::string>& words, const std::vector<int>& passed,
                                      std::string& error) {
    if (words[0] == "container") {
        int attempt = 0;
        if (!take_number("attempt", words[3], INT_MAX, attempt, error)) return "";
        return pods_.container(words[1], words[2], attempt, words[4], passed, error);
    }
    if (words[0] == "signal") {
        int number = 0;
        if (take_number("signal", words[3], signal_max, number, error)) pods_.signal(words[1], words[2], number, error);
        return "";
    }
    std::int64_t grace = 0;
    if (take_number("grace", words[3], LONG_MAX / 2, grace, error)) pods_.stop(words[1], words[2], grace, error);
    return "";
}

// Commands that talk to what runs in a container, by descriptors.
std::string Holder::stream_command(const std::vector<std::string>& words, const std::vector<int>& passed,
                                   std::vector<int>& give, std::string& error) {
    if (words[0] == "stream") return pods_.stream(words[1], words[2], words[3], words[4], passed, give, error);
    if (words[0] == "end-input") {
        pods_.end_input(words[1], words[2], error);
        return "";
    }
    const int end = pods_.input(words[1], words[2], error);
    if (end >= 0) give.push_back(end);
    return "";
}

std::string Holder::socket_command(const std::vector<std::string>& words, std::vector<int>& give) {
    std::string error;
    int port = 0;
    if (!take_number("port", words[2], port_max, port, error)) return error;
    if (words[0] == "dial") {
        const int socket = pods_.dial(words[1], port, words[3] == "6", error);
        if (socket >= 0) give.push_back(socket);
    } else {
        error = make_socket(words[1], port, words[0] == "listen", give);
    }
    return error;
}

std::string Holder::command(const std::vector<std::string>& words, const std::vector<int>& passed,
                            std::vector<int>& give, std::string& error) {
    const std::string& word = words.empty() ? std::string() : words[0];
    const std::size_t count = words.size();
    if (word == "files" && count == 2) {
        std::vector<Record> records;
        error = read_spec(words[1], records);
        if (error.empty()) error = perform_files(records, identity_.map == Identity::Map::single);
    } else if (word == "sandbox" && count == 3) {
        return pods_.sandbox(words[1], words[2], error);
    } else if ((word == "container" && count == 5) || ((word == "signal" || word == "stop") && count == 4)) {
        return container_command(words, passed, error);
    } else if (word == "exec" && count == 5 && passed.size() >= 3) {
        const std::vector<int> groups(passed.begin() + 3, passed.end());
        return pods_.exec(words[1], words[2], words[3], words[4], passed.data(), groups, error);
    } else if ((word == "stream" && count == 5) || ((word == "input" || word == "end-input") && count == 3)) {
        return stream_command(words, passed, give, error);
    } else if (word == "end-exec" && count == 3) {
        pods_.end_exec(words[1], words[2]);
    } else if (word == "remove" && count == 2) {
        pods_.remove(words[1]);
    } else if (((word == "listen" || word == "connect") && count == 3) || (word == "dial" && count == 4)) {
        error = socket_command(words, give);
    } else if (word == "dns" && count == 1) {
        error = names_.load(directory_ + "/dns");
    } else if (word == "quit" && count == 1) {
        quit_ = true;
    } else {
        error = "unknown command: " + word;
    }
    return "";
}

}  // namespace

int hold(const Identity& identity, const char* directory, const std::vector<int>& shared) {
    // If the process between us and the keeper dies, so do we, and the kernel ends the rest.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    close_others(ready_fd + 1, shared);
    ::umask(022);
    ::signal(SIGPIPE, SIG_IGN);
    Holder holder(identity, directory, shared);
    const std::string error = holder.open();
    const std::string line = error.empty() ? "ready " + identity.words() : "failed " + error;
    write_all(ready_fd, line + "\n");
    ::close(ready_fd);
    if (!error.empty()) return 1;
    holder.run();
    holder.shut_down();
    return 0;
}

}  // namespace shed::podinit
