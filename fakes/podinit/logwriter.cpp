#include "fakes/podinit/logwriter.hpp"

#include "fakes/podinit/util.hpp"

#include <cstdio>
#include <ctime>

namespace shed::podinit {

namespace {

constexpr std::size_t line_bytes_max = 16 * 1024;  // as containerd: longer lines are cut into partial ones

std::string timestamp() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    tm parts{};
    ::gmtime_r(&now.tv_sec, &parts);
    char text[80];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%09ldZ", parts.tm_year + 1900, parts.tm_mon + 1,
                  parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, now.tv_nsec);
    return text;
}

}  // namespace

void LogWriter::take(int stream, std::string_view bytes) {
    std::string& pending = pending_[stream];
    pending.append(bytes);
    std::size_t at = 0;
    for (;;) {
        const auto end = pending.find('\n', at);
        if (end == std::string::npos) {
            if (pending.size() - at < line_bytes_max) break;
            write_line(stream, std::string_view(pending).substr(at, line_bytes_max), false);
            at += line_bytes_max;
            continue;
        }
        const std::size_t size = end - at;
        if (size > line_bytes_max) {
            write_line(stream, std::string_view(pending).substr(at, line_bytes_max), false);
            at += line_bytes_max;
            continue;
        }
        write_line(stream, std::string_view(pending).substr(at, size), true);
        at = end + 1;
    }
    pending.erase(0, at);
    if (!at_once_ || pending.empty()) return;
    write_line(stream, pending, false);
    pending.clear();
}

void LogWriter::finish() {
    for (int stream = 0; stream < 2; ++stream) {
        if (!pending_[stream].empty()) write_line(stream, pending_[stream], false);
        pending_[stream].clear();
    }
}

void LogWriter::write_line(int stream, std::string_view text, bool full) {
    std::string line = timestamp();
    line.append(stream == 0 ? " stdout " : " stderr ").append(full ? "F " : "P ");
    line.append(text).push_back('\n');
    write_all(log_, line);
}

}  // namespace shed::podinit
