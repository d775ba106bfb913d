#pragma once
// What a person sees: stages on stderr with a tick or a cross, data on stdout. Plain text without a terminal, with
// NO_COLOR, or when asked; then no escape sequences and no symbols a log could not show.
#include <chrono>
#include <string>
#include <string_view>

namespace shed {

class Terminal {
public:
    explicit Terminal(bool plain = false, bool quiet = false);

    void ok(std::string_view stage, std::string_view text) const;
    void warn(std::string_view stage, std::string_view text) const;
    void fail(std::string_view stage, std::string_view text) const;
    void note(std::string_view text) const;  // progress without a verdict
    // error: ... / hint: ... on stderr.
    void error(std::string_view message, std::string_view hint = {}) const;
    bool plain() const { return plain_; }

private:
    void line(std::string_view symbol, std::string_view word, int color, std::string_view stage,
              std::string_view text) const;
    bool plain_, quiet_;
};

std::string seconds_text(std::chrono::steady_clock::duration duration);  // "0.21 s"

// Exit codes, frozen: scripts rely on them.
enum ExitCode : int {
    exit_ok = 0,
    exit_failed = 1,       // the job or a test failed
    exit_usage = 2,        // bad flags or a bad file
    exit_environment = 3,  // this machine cannot
    exit_conflict = 4,     // a name or port is taken
    exit_timeout = 5,
    exit_bug = 70,
    exit_interrupted = 130,
};

}  // namespace shed
