#pragma once
// The `files` command: file operations as inner root, in order.
#include "fakes/podinit/spec.hpp"

namespace shed::podinit {

// Stops at the first that fails and says which. In a single map owners are left alone and modes lose group and other.
std::string perform_files(const std::vector<Record>& records, bool single);

}  // namespace shed::podinit
