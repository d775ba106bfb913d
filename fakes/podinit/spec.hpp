#pragma once
// SPEC files: records of NUL-terminated fields, each record ended by an empty field (protocol.hpp).
#include <string>
#include <vector>

namespace shed::podinit {

using Record = std::vector<std::string>;

// Empty error when it parsed.
std::string read_spec(const std::string& path, std::vector<Record>& records);

}  // namespace shed::podinit
