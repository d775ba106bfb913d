#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>

namespace shed::podinit {

std::string failure(std::string_view doing) {
    return std::string(doing) + ": " + std::strerror(errno);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    reset(other.release());
    return *this;
}

int Descriptor::release() {
    const int number = number_;
    number_ = -1;
    return number;
}

void Descriptor::reset(int number) {
    if (number_ >= 0) ::close(number_);
    number_ = number;
}

bool write_all(int descriptor, std::string_view data) {
    while (!data.empty()) {
        const ssize_t n = ::write(descriptor, data.data(), data.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        data.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool write_text(const char* path, std::string_view text) {
    const Descriptor file(::open(path, O_WRONLY | O_CLOEXEC));
    return file.open() && write_all(file.get(), text);
}

bool read_text(const char* path, std::string& text) {
    const Descriptor file(::open(path, O_RDONLY | O_CLOEXEC));
    if (!file.open()) return false;
    char buffer[16384];
    for (;;) {
        const ssize_t n = ::read(file.get(), buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) return true;
        text.append(buffer, static_cast<std::size_t>(n));
    }
}

bool make_directories(const std::string& path, unsigned mode) {
    if (::mkdir(path.c_str(), mode) == 0) return true;
    if (errno == EEXIST) {
        struct stat info {};
        if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return true;
        errno = ENOTDIR;
        return false;
    }
    const auto slash = path.rfind('/');
    if (errno != ENOENT || slash == std::string::npos || slash == 0) return false;
    if (!make_directories(path.substr(0, slash), 0755)) return false;
    return ::mkdir(path.c_str(), mode) == 0 || errno == EEXIST;
}

void close_others(int first, std::vector<int> kept) {
    std::sort(kept.begin(), kept.end());
    for (const int descriptor : kept) {
        if (descriptor > first) ::close_range(static_cast<unsigned>(first), static_cast<unsigned>(descriptor) - 1, 0);
        if (descriptor >= first) first = descriptor + 1;
    }
    ::close_range(static_cast<unsigned>(first), ~0U, 0);
}

std::int64_t now_nanoseconds() {
    timespec t{};
    ::clock_gettime(CLOCK_REALTIME, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1'000'000'000 + t.tv_nsec;
}

std::int64_t steady_milliseconds() {
    timespec t{};
    ::clock_gettime(CLOCK_MONOTONIC, &t);
    return static_cast<std::int64_t>(t.tv_sec) * 1000 + t.tv_nsec / 1'000'000;
}

int milliseconds_until(std::int64_t deadline) {
    const std::int64_t left = deadline - steady_milliseconds();
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : static_cast<int>(left);
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto end = text.find(separator);
        if (end != 0) words.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) break;
        text.remove_prefix(end + 1);
    }
    return words;
}

int wait_for(int pid, int* status) {
    for (;;) {
        const pid_t waited = ::waitpid(pid, status, 0);
        if (waited >= 0 || errno != EINTR) return waited;
    }
}

}  // namespace shed::podinit
