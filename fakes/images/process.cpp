// Runs one program to its end, its output line by line.
#include "fakes/images/internal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace shed::images {

namespace {

constexpr std::size_t tail_lines = 12;

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> out;
    for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
    out.push_back(nullptr);
    return out;
}

// The shell's only task is the umask: pods read these files as other users.
Result<pid_t> spawn(std::vector<std::string> words, const std::vector<std::string>& environment,
                    int output, int held) {
    words.insert(words.begin(), {"/bin/sh", "-c", "umask 022; exec \"$@\"", "sh"});
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output, 1);
    posix_spawn_file_actions_adddup2(&actions, output, 2);
    posix_spawn_file_actions_adddup2(&actions, held, 3);
    pid_t child = 0;
    const int error = ::posix_spawn(&child, "/bin/sh", &actions, nullptr, pointers(words).data(),
                                    pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return Error{Reason::environment, "cannot start " + words[4] + ": " + std::strerror(error)};
    return child;
}

class Lines {
public:
    Lines(Output& output, const std::function<void(const std::string&)>& line)
        : output_(output), line_(line) {}
    void take(const char* data, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) {
            if (data[i] == '\n') finish();
            else if (data[i] != '\r') text_ += data[i];
        }
    }
    void finish() {
        if (text_.empty()) return;
        line_(text_);
        output_.tail.push_back(std::move(text_));
        if (output_.tail.size() > tail_lines) output_.tail.erase(output_.tail.begin());
        text_.clear();
    }

private:
    Output& output_;
    const std::function<void(const std::string&)>& line_;
    std::string text_;
};

}  // namespace

Result<Output> run_lines(const std::vector<std::string>& words,
                         const std::vector<std::string>& environment, int held,
                         const std::function<bool()>& cancelled,
                         const std::function<void(const std::string&)>& line) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return Error{Reason::environment, std::strerror(errno)};
    const auto child = spawn(words, environment, ends[1], held);
    ::close(ends[1]);
    Output output;
    Lines lines(output, line);
    char buffer[4096];
    while (child) {
        if (!output.cancelled && cancelled()) {
            output.cancelled = true;
            ::kill(*child, SIGTERM);
        }
        // A signal between the question and the wait would be missed: so never wait for long.
        pollfd wait = {ends[0], POLLIN, 0};
        const int ready = ::poll(&wait, 1, 200);
        if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
        const ssize_t n = ::read(ends[0], buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        lines.take(buffer, static_cast<std::size_t>(n));
    }
    lines.finish();
    ::close(ends[0]);
    if (!child) return child.error();
    int status = 0;
    while (::waitpid(*child, &status, 0) < 0 && errno == EINTR) {
    }
    output.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return output;
}

}  // namespace shed::images
