// What a failed process printed: rank, host and signal, as Open MPI 4 and 5 and torchrun word them.
#include "simulator/why/diagnosis.hpp"

#include <algorithm>
#include <charconv>

namespace shed {

namespace {

constexpr std::size_t lines_shown = 12;

std::vector<std::string> lines_of(const std::string& log) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < log.size();) {
        const std::size_t end = std::min(log.find('\n', at), log.size());
        std::string line = log.substr(at, end - at);
        at = end + 1;
        if (line.ends_with('\r')) line.pop_back();
        // ssh says so at every login.
        if (!line.starts_with("Warning: Permanently added ")) lines.push_back(std::move(line));
    }
    return lines;
}

std::optional<int> number_at(std::string_view text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end == text.data()) return std::nullopt;
    return value;
}

// The number that follows `words` in `line`.
std::optional<int> number_after(std::string_view line, std::string_view words) {
    const auto at = line.find(words);
    if (at == std::string_view::npos) return std::nullopt;
    return number_at(line.substr(at + words.size()));
}

std::string word_after(std::string_view line, std::string_view words) {
    const auto at = line.find(words);
    if (at == std::string_view::npos) return "";
    const std::string_view rest = line.substr(at + words.size());
    return std::string(rest.substr(0, rest.find(' ')));
}

// mpirun wraps this sentence: "... process rank 2 with PID 0 on node a-node-0-1 exited on signal 9 (Killed)."
void read_mpirun(FirstFailure& failure, const std::vector<std::string>& lines) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const std::string& line = lines[i];
        if (const auto rank = number_after(line, "process rank ")) {
            const std::string sentence = line + (i + 1 < lines.size() ? " " + lines[i + 1] : "");
            failure.rank = rank;
            failure.node = word_after(sentence, " on node ");
            if (const auto signal = number_after(sentence, "exited on signal ")) failure.signal = *signal;
        }
        if (const auto rank = number_after(line, "MPI_ABORT was invoked on rank ")) failure.rank = rank;
        // "  Process name: [[64356,1],2]": job, then rank.
        if (const auto at = line.find("Process name: [["); at != std::string::npos)
            if (const auto comma = line.find("],", at); comma != std::string::npos)
                failure.rank = number_at(std::string_view(line).substr(comma + 2));
    }
}

// torchrun names the first failure last, in a table: "  rank      : 1 (local_rank: 0)".
void read_torchrun(FirstFailure& failure, const std::vector<std::string>& lines) {
    const auto box = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find("Root Cause (first observed failure)") != std::string::npos;
    });
    for (auto line = box; line != lines.end(); ++line) {
        const auto colon = line->find(':');
        if (colon == std::string::npos) continue;
        const std::string key = line->substr(0, line->find_last_not_of(' ', colon - 1) + 1);
        const std::string_view value = std::string_view(*line).substr(colon + 1);
        if (key.ends_with("rank") && !key.ends_with("local_rank")) failure.rank = number_at(value);
        if (key.ends_with("host")) failure.node = word_after(std::string(value) + " ", " ");
    }
}

bool is_rule(const std::string& line) {
    return line.size() > 20 && line.find_first_not_of("-=") == std::string::npos;
}

// The last lines that say something; mpirun's own words repeat what is said elsewhere in the answer.
std::vector<std::string> tail_of(const std::vector<std::string>& lines) {
    std::size_t end = lines.size();
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
        const std::string& next = lines[i + 1];
        const bool mpiruns = next.starts_with("Primary job  terminated") ||
                             next.starts_with("mpirun detected that") || next.starts_with("prterun detected that");
        if (is_rule(lines[i]) && mpiruns) {
            if (i > 0) end = i;
            break;
        }
    }
    std::vector<std::string> tail;
    for (std::size_t i = end - std::min(end, lines_shown); i < end; ++i) tail.push_back(lines[i]);
    return tail;
}

}  // namespace

void explain(FirstFailure& failure, const std::string& log) {
    const std::vector<std::string> lines = lines_of(log);
    read_mpirun(failure, lines);
    read_torchrun(failure, lines);
    if (failure.signal == 0 && failure.exit_code > 128 && failure.exit_code < 128 + 65)
        failure.signal = failure.exit_code - 128;
    failure.log_tail = tail_of(lines);
    // Whatever keeps sshd from serving, it says so last.
    if (failure.program == "sshd" && failure.signal == 0 && !failure.log_tail.empty())
        failure.hint =
            "sshd exited " + std::to_string(failure.exit_code) + ": " + failure.log_tail.back();
    if (failure.hint.empty()) failure.hint = hint_for(log);
    if (failure.hint.empty()) failure.hint = hint_for_exit(failure.exit_code, failure.signal);
}

}  // namespace shed
