#include "fakes/cgroup/files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace shed::cgroup {

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (file) text << file.rdbuf();
    return std::move(text).str();
}

Result<void> write_text(const std::string& path, const std::string& text) {
    const int file = ::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    const ssize_t written = file < 0 ? -1 : ::write(file, text.data(), text.size());
    const int trouble = errno;
    if (file >= 0) ::close(file);
    if (written == static_cast<ssize_t>(text.size())) return {};
    return Error{Reason::environment,
                 "cannot write " + text + " to " + path + ": " + std::strerror(trouble)};
}

std::vector<std::string> words_of(std::string_view text) {
    std::vector<std::string> words;
    constexpr std::string_view blanks = " \t\n";
    for (auto begin = text.find_first_not_of(blanks); begin != std::string_view::npos;) {
        const auto end = std::min(text.find_first_of(blanks, begin), text.size());
        words.emplace_back(text.substr(begin, end - begin));
        begin = text.find_first_not_of(blanks, end);
    }
    return words;
}

bool has_word(const std::vector<std::string>& words, std::string_view word) {
    for (const std::string& candidate : words)
        if (candidate == word) return true;
    return false;
}

std::optional<std::int64_t> number_of(std::string_view text) {
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<std::int64_t> field_of(std::string_view text, std::string_view key) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
            return number_of(line.substr(key.size() + 1));
    }
    return std::nullopt;
}

void remove_groups(const std::string& directory) {
    std::error_code ec;
    for (const auto& entry : std::filesystem::directory_iterator(directory, ec))
        if (entry.is_directory(ec) && !entry.is_symlink(ec)) remove_groups(entry.path().string());
    ::rmdir(directory.c_str());
}

}  // namespace shed::cgroup
