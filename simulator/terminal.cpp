#include "simulator/terminal.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace shed {

Terminal::Terminal(bool plain, bool quiet)
    : plain_(plain || ::isatty(STDERR_FILENO) == 0 || std::getenv("NO_COLOR") != nullptr),
      quiet_(quiet) {}

void Terminal::line(std::string_view symbol, std::string_view word, int color, std::string_view stage,
                    std::string_view text) const {
    std::string out;
    if (plain_) {
        out.append(word);
    } else {
        out.append(" \033[").append(std::to_string(color)).append("m").append(symbol).append("\033[0m ");
    }
    std::string padded(stage);
    if (padded.size() < 14) padded.resize(14, ' ');
    out.append(padded).append(" ").append(text).append("\n");
    std::fwrite(out.data(), 1, out.size(), stderr);
}

void Terminal::ok(std::string_view stage, std::string_view text) const {
    if (!quiet_) line("✓", "ok    ", 32, stage, text);
}

void Terminal::warn(std::string_view stage, std::string_view text) const {
    line("!", "warn  ", 33, stage, text);
}

void Terminal::fail(std::string_view stage, std::string_view text) const {
    line("✗", "fail  ", 31, stage, text);
}

void Terminal::note(std::string_view text) const {
    if (quiet_) return;
    std::string out(plain_ ? "" : "   ");
    out.append(text).append("\n");
    std::fwrite(out.data(), 1, out.size(), stderr);
}

void Terminal::error(std::string_view message, std::string_view hint) const {
    std::string out(plain_ ? "error: " : "\033[31merror:\033[0m ");
    out.append(message).append("\n");
    if (!hint.empty()) out.append(plain_ ? "hint: " : "\033[36mhint:\033[0m ").append(hint).append("\n");
    std::fwrite(out.data(), 1, out.size(), stderr);
}

std::string seconds_text(std::chrono::steady_clock::duration duration) {
    char text[32];
    std::snprintf(text, sizeof text, "%.2f s", std::chrono::duration<double>(duration).count());
    return text;
}

}  // namespace shed
