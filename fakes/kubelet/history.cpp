#include "fakes/kubelet/history.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace fs = std::filesystem;

namespace shed {

namespace {

Time from_nanoseconds(long long count) {
    return Time(std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(count)));
}

// "3.log" is of attempt 3.
std::optional<int> number_of(const fs::path& log) {
    const std::string stem = log.stem().string();
    int number = 0;
    const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
    if (log.extension() != ".log" || error != std::errc() || end != stem.data() + stem.size())
        return std::nullopt;
    return number;
}

Attempt attempt_from(const fs::path& log, int number) {
    Attempt attempt;
    attempt.container = log.parent_path().filename().string();
    attempt.number = number;
    read_exit_file(fs::path(log).replace_extension(".exit").string(), attempt);
    return attempt;
}

}  // namespace

bool read_exit_file(const std::string& path, Attempt& attempt) {
    std::ifstream exit(path);
    long long code = 0, signal = 0, started = 0, finished = 0;
    if (!(exit >> code >> signal >> started >> finished)) return false;
    attempt.ended = true;
    attempt.signal = static_cast<int>(signal);
    attempt.code = signal > 0 ? 128 + attempt.signal : static_cast<int>(code);
    attempt.started = from_nanoseconds(started);
    attempt.finished = from_nanoseconds(finished);
    return true;
}

std::string kept_logs_directory(const std::string& node_directory, const std::string& pod_uid) {
    return node_directory + "/ended/" + pod_uid;
}

std::string logs_directory(const std::string& node_directory, const std::string& pod_uid) {
    const std::string kept = kept_logs_directory(node_directory, pod_uid);
    if (::access(kept.c_str(), F_OK) == 0) return kept;
    return node_directory + "/pods/" + pod_uid + "/logs";
}

std::vector<Attempt> attempts_of(const std::string& node_directory, const std::string& pod_uid) {
    std::vector<Attempt> attempts;
    std::error_code ec;
    const fs::directory_options options = fs::directory_options::skip_permission_denied;
    for (const auto& container :
         fs::directory_iterator(logs_directory(node_directory, pod_uid), options, ec)) {
        std::error_code inner;
        for (const auto& file : fs::directory_iterator(container.path(), options, inner))
            if (const auto number = number_of(file.path()))
                attempts.push_back(attempt_from(file.path(), *number));
    }
    std::sort(attempts.begin(), attempts.end(), [](const Attempt& a, const Attempt& b) {
        return std::tuple(!a.ended, a.finished, a.container, a.number) <
               std::tuple(!b.ended, b.finished, b.container, b.number);
    });
    return attempts;
}

std::vector<std::string> PodHistory::add(ObjectPtr pod) {
    pods_.push_back(std::move(pod));
    std::vector<std::string> leaving;
    for (; pods_.size() > pods_max; pods_.pop_front()) leaving.push_back(pods_.front()->uid());
    return leaving;
}

}  // namespace shed
