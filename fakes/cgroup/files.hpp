#pragma once
// Small files of the kernel, and directories that are groups: for this module's files only.
#include "fakes/base/result.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shed::cgroup {

std::string read_text(const std::string& path);  // "" when it cannot be read
Result<void> write_text(const std::string& path, const std::string& text);
std::vector<std::string> words_of(std::string_view text);
bool has_word(const std::vector<std::string>& words, std::string_view word);
std::optional<std::int64_t> number_of(std::string_view text);
// The number after `key` in a file of `KEY NUMBER` lines.
std::optional<std::int64_t> field_of(std::string_view text, std::string_view key);
// A directory and the directories in it, the deepest first: a group cannot be removed before those
// in it.
void remove_groups(const std::string& directory);

}  // namespace shed::cgroup
