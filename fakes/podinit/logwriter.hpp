#pragma once
// Turns a container's output into CRI log lines: `<RFC 3339 nano> stdout|stderr F|P <text>`.
#include <string>
#include <string_view>

namespace shed::podinit {

class LogWriter {
public:
    explicit LogWriter(int log) : log_(log) {}
    // Takes bytes of one stream (0 stdout, 1 stderr); whole lines are written at once.
    void take(int stream, std::string_view bytes);
    void finish();  // writes what has no end of line yet

private:
    void write_line(int stream, std::string_view text, bool full);
    int log_;
    std::string pending_[2];
};

}  // namespace shed::podinit
