#pragma once
// Turns a container's output into CRI log lines: `<RFC 3339 nano> stdout|stderr F|P <text>`.
#include <string>
#include <string_view>

namespace shed::podinit {

class LogWriter {
public:
    // `at_once`: a line's beginning is written when it comes, as who looks at a terminal has to see it.
    explicit LogWriter(int log, bool at_once = false) : log_(log), at_once_(at_once) {}
    // Takes bytes of one stream (0 stdout, 1 stderr); whole lines are written at once.
    void take(int stream, std::string_view bytes);
    void finish();  // writes what has no end of line yet

private:
    void write_line(int stream, std::string_view text, bool full);
    int log_;
    bool at_once_;
    std::string pending_[2];
};

}  // namespace shed::podinit
