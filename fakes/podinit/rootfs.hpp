#pragma once
// A container's root file system, built record by record in a mount namespace of its own (protocol.hpp).
#include "fakes/podinit/spec.hpp"

namespace shed::podinit {

bool is_root_record(const Record& record);
// Builds it on `mount_point` and makes it the root of this mount namespace. "" or what failed, naming both paths.
std::string enter_root(const std::vector<Record>& records, const std::string& mount_point, bool single);

}  // namespace shed::podinit
