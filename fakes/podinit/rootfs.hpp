#pragma once
// A container's root file system, built record by record in a mount namespace of its own (protocol.hpp).
#include "fakes/podinit/spec.hpp"

namespace shed::podinit {

bool is_root_record(const Record& record);
// Copies of the holder's shared mounts (`shared`, O_PATH descriptors) that `shared` records name, in their order. To be
// called before the container has a mount namespace of its own: only there can they be copied.
std::string copy_shared(const std::vector<Record>& records, const std::vector<int>& shared, std::vector<int>& copies);
// One of them, or the pod's shared memory, likewise.
std::string copy_mount(int original, int& copy);
// Builds it on `mount_point` and makes it the root of this mount namespace. `memory`: a copy
// of what is to be its /dev/shm; -1: one of its own. "" or what failed, naming both paths.
std::string enter_root(const std::vector<Record>& records, const std::string& mount_point, bool single,
                       const std::vector<int>& copies, int memory);

}  // namespace shed::podinit
