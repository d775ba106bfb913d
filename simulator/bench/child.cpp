#include "simulator/bench/child.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace asio = boost::asio;

namespace shed::bench {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> out;
    for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
    out.push_back(nullptr);
    return out;
}

std::vector<std::string> laid_over_ours(std::vector<std::string> environment) {
    const auto set = environment;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string name = std::string(*entry).substr(0, std::string(*entry).find('=') + 1);
        const bool given = std::ranges::any_of(set, [&](const std::string& e) { return e.starts_with(name); });
        if (!given) environment.emplace_back(*entry);
    }
    return environment;
}

// A process group of its own, so that all of it can be ended at once.
Result<pid_t> spawn(const std::vector<std::string>& words, const std::vector<std::string>& environment, int output) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGPIPE);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    pid_t child = 0;
    const int error = ::posix_spawn(&child, words[0].c_str(), &actions, &attributes, pointers(words).data(),
                                    pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error != 0) return Error{Reason::environment, words[0] + ": " + std::strerror(error)};
    return child;
}

// Ends and reaps its process, however the coroutine leaves.
class Process {
public:
    explicit Process(pid_t pid) : pid_(pid) {}
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;
    ~Process() {
        if (pid_ > 0) end();
    }
    int end() {
        ::kill(-pid_, SIGKILL);
        return wait();
    }
    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
        pid_ = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

private:
    pid_t pid_;
};

// Until the last process that holds the pipe has ended. False: the descriptor failed or this was cancelled.
asio::awaitable<bool> read_all(asio::posix::stream_descriptor& from, std::string& to) {
    std::array<char, 16384> buffer;
    for (;;) {
        const auto [ec, n] =
            co_await from.async_read_some(asio::buffer(buffer), asio::as_tuple(asio::use_awaitable));
        to.append(buffer.data(), n);
        if (ec) co_return ec == asio::error::eof;
    }
}

}  // namespace

asio::awaitable<Result<ChildResult>> run_child(std::vector<std::string> words, std::vector<std::string> environment,
                                               std::chrono::seconds limit) {
    using namespace asio::experimental::awaitable_operators;
    const auto executor = co_await asio::this_coro::executor;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) co_return Error{Reason::environment, std::strerror(errno)};
    asio::posix::stream_descriptor output(executor, ends[0]);
    const auto pid = spawn(words, laid_over_ours(std::move(environment)), ends[1]);
    ::close(ends[1]);
    if (!pid) co_return pid.error();
    Process process(*pid);
    ChildResult result;
    asio::steady_timer timer(executor, limit);
    const auto ended = co_await (read_all(output, result.output) ||
                                 timer.async_wait(asio::as_tuple(asio::use_awaitable)));
    if (ended.index() == 1)
        co_return Error{Reason::timeout, words[0] + " did not end within " + std::to_string(limit.count()) + " s"};
    if (!std::get<0>(ended)) co_return Error{Reason::timeout, words[0] + " was interrupted"};
    result.exit_code = process.wait();
    co_return result;
}

}  // namespace shed::bench
