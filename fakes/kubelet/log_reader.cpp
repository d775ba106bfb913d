#include "fakes/kubelet/kubelet.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <vector>

namespace shed {

namespace asio = boost::asio;

namespace {

constexpr std::size_t chunk_bytes = 65'536;

// One line of a CRI log: `<RFC3339Nano> stdout|stderr F|P <text>`.
struct CriLine {
    std::string_view time, stream, text;
    bool partial = false;
};

std::optional<CriLine> parse_line(std::string_view line) {
    const auto first = line.find(' ');
    const auto second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    const auto third = second == std::string_view::npos ? second : line.find(' ', second + 1);
    if (third == std::string_view::npos) return std::nullopt;
    CriLine parsed;
    parsed.time = line.substr(0, first);
    parsed.stream = line.substr(first + 1, second - first - 1);
    parsed.partial = line.substr(second + 1, third - second - 1) == "P";
    parsed.text = line.substr(third + 1);
    return parsed;
}

}  // namespace

struct LogReader::Impl {
    Impl(asio::any_io_executor executor, const std::string& directory, LogQuery wanted);
    ~Impl() {
        if (file >= 0) ::close(file);
    }

    Result<void> open();
    void watch_directory();
    void skip_to_tail();
    bool read_more();  // false: nothing new
    void take(std::string_view line);
    void put(std::string_view text);
    // The exit file tells, or that the pod and its files are gone; what was opened can still be
    // read.
    bool has_ended() const {
        return ::access(exit_path.c_str(), F_OK) == 0 || ::access(path.c_str(), F_OK) != 0;
    }
    asio::awaitable<void> wait_for_change();

    LogQuery query;
    std::string folder, path, exit_path;
    int file = -1;
    std::string rest;  // an incomplete line of the file
    std::string out;
    bool at_line_start = true;
    std::int64_t budget = -1;
    bool done = false;
    asio::posix::stream_descriptor changes;
    asio::steady_timer poll;
};

LogReader::Impl::Impl(asio::any_io_executor executor, const std::string& directory, LogQuery wanted)
    : query(std::move(wanted)), changes(executor), poll(executor) {
    folder = logs_directory(directory, query.pod_uid) + "/" + query.container;
    path = folder + "/" + std::to_string(query.attempt) + ".log";
    exit_path = folder + "/" + std::to_string(query.attempt) + ".exit";
    budget = query.limit_bytes.value_or(-1);
}

LogReader::LogReader(asio::any_io_executor executor, const std::string& directory, LogQuery query)
    : impl_(std::make_unique<Impl>(std::move(executor), directory, std::move(query))) {}
LogReader::~LogReader() = default;

Result<void> LogReader::Impl::open() {
    file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0)
        return Error{Reason::not_found, "there is no log of container \"" + query.container +
                                            "\", attempt " + std::to_string(query.attempt)};
    if (query.follow) watch_directory();
    if (query.tail_lines) skip_to_tail();
    return {};
}

// One watch on the folder tells of new lines and of the exit file. Without it the reader polls.
void LogReader::Impl::watch_directory() {
    const int fd = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) return;
    if (::inotify_add_watch(fd, folder.c_str(),
                            IN_MODIFY | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF) < 0) {
        ::close(fd);
        return;
    }
    changes.assign(fd);
}

// From the end back, chunk by chunk, until as many whole lines lie ahead as are wanted.
void LogReader::Impl::skip_to_tail() {
    const off_t size = ::lseek(file, 0, SEEK_END);
    const std::int64_t wanted = std::max<std::int64_t>(0, *query.tail_lines);
    std::int64_t lines = 0;
    off_t start = size;
    std::vector<char> chunk(chunk_bytes);
    while (start > 0 && lines <= wanted) {
        const off_t from = std::max<off_t>(0, start - static_cast<off_t>(chunk.size()));
        const ssize_t count =
            ::pread(file, chunk.data(), static_cast<std::size_t>(start - from), from);
        if (count <= 0) break;
        ssize_t at = count;
        for (; at > 0 && lines <= wanted; --at) {
            const off_t position = from + at - 1;
            if (chunk[static_cast<std::size_t>(at - 1)] == '\n' && position != size - 1 &&
                ++lines >= wanted)
                break;
            if (position == size - 1 && wanted == 0) break;
        }
        if (lines >= wanted) {
            start = wanted == 0 ? size : from + at;
            break;
        }
        start = from;
    }
    ::lseek(file, start, SEEK_SET);
}

bool LogReader::Impl::read_more() {
    std::array<char, chunk_bytes> chunk;
    const ssize_t count = ::read(file, chunk.data(), chunk.size());
    if (count <= 0) return false;
    rest.append(chunk.data(), static_cast<std::size_t>(count));
    std::size_t at = 0;
    for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', at)) {
        take(std::string_view(rest).substr(at, end - at));
        at = end + 1;
    }
    rest.erase(0, at);
    return true;
}

void LogReader::Impl::take(std::string_view line) {
    const auto parsed = parse_line(line);
    if (!parsed) return;
    if (!query.stream.empty() && parsed->stream != query.stream) return;
    if (query.since) {
        const auto time = parse_time(parsed->time);
        if (time && *time < *query.since) return;
    }
    if (query.timestamps && at_line_start) put(std::string(parsed->time) + " ");
    put(parsed->text);
    if (!parsed->partial) put("\n");
    at_line_start = !parsed->partial;
}

void LogReader::Impl::put(std::string_view text) {
    if (budget >= 0) {
        text = text.substr(0, static_cast<std::size_t>(std::min<std::int64_t>(
                                  budget, static_cast<std::int64_t>(text.size()))));
        budget -= static_cast<std::int64_t>(text.size());
        if (budget == 0) done = true;
    }
    out.append(text);
}

asio::awaitable<void> LogReader::Impl::wait_for_change() {
    using namespace asio::experimental::awaitable_operators;
    // The pause is a safety net: a file system that tells nothing, or a watch that could not be
    // had.
    poll.expires_after(changes.is_open() ? std::chrono::milliseconds(1000)
                                         : std::chrono::milliseconds(30));
    if (!changes.is_open()) {
        co_await poll.async_wait(asio::as_tuple(asio::use_awaitable));
        co_return;
    }
    co_await (changes.async_wait(asio::posix::stream_descriptor::wait_read,
                                 asio::as_tuple(asio::use_awaitable)) ||
              poll.async_wait(asio::as_tuple(asio::use_awaitable)));
    std::array<char, 4096> events;
    while (::read(changes.native_handle(), events.data(), events.size()) > 0) continue;
}

asio::awaitable<Result<std::string>> LogReader::read() {
    Impl& log = *impl_;
    if (log.file < 0) {
        if (auto opened = log.open(); !opened) co_return opened.error();
    }
    for (;;) {
        // Looked at before reading: what was written before the end is then surely read.
        const bool ended = !log.query.follow || log.has_ended();
        while (!log.done && log.out.size() < chunk_bytes && log.read_more()) continue;
        if (!log.out.empty()) co_return std::exchange(log.out, std::string());
        if (log.done || ended) co_return std::string();
        co_await log.wait_for_change();
    }
}

}  // namespace shed
