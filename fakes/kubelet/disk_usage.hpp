#pragma once
// How much of the disk a directory takes, as du counts: blocks, each file once.
#include <cstdint>
#include <string>

namespace shed::kubelet {

// In bytes. Stops when it is more than `enough`. What this process may not read is not counted.
std::int64_t disk_usage(const std::string& directory, std::int64_t enough);

}  // namespace shed::kubelet
