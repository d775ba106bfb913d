#pragma once
// A container's root file system, built record by record in a mount namespace of its own (protocol.hpp).
#include "fakes/podinit/spec.hpp"

namespace shed::podinit {

bool is_root_record(const Record& record);
// Copies of the holder's shared mounts (`shared`, O_PATH descriptors) that `shared` records name, in their order. To be
// called before the container has a mount namespace of its own: only there can they be copied.
std::string copy_shared(const std::vector<Record>& records, const std::vector<int>& shared, std::vector<int>& copies);
// Builds it on `mount_point` and makes it the root of this mount namespace. "" or what failed, naming both paths.
std::string enter_root(const std::vector<Record>& records, const std::string& mount_point, bool single,
                       const std::vector<int>& copies);

}  // namespace shed::podinit
