#pragma once
// Places inside a directory that pods can write, found and mounted by descriptors: a link that a
// pod swaps meanwhile leads nowhere else (CVE-2017-1002101, CVE-2021-25741). What fails leaves its
// reason in `error`.
#include "fakes/podinit/util.hpp"

#include <string>
#include <vector>

namespace shed::podinit {

// What `below` leads to from `root`, each path beneath what the one before has found; links may
// lead to places inside. With `make`, missing directories of the last are made, for everyone
// (0777).
Descriptor open_beneath(int root, const std::vector<std::string>& below, bool make,
                        std::string& error);
// The absolute `path` as a process sees it whose root is `root`, to mount on: made, with its
// parents, when it is missing.
Descriptor open_target(const std::string& root, const std::string& path, bool directory,
                       std::string& error);
// A copy of what is at `place` and mounted below it, attached nowhere yet. In another mount
// namespace than the place's there is none.
Descriptor copy_mounts(int place, std::string& error);
std::string attach(int copy, bool read_only, int target);
bool is_directory(int descriptor);

}  // namespace shed::podinit
