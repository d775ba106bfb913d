#pragma once
// Which files of this machine are NVIDIA's driver, so that a pod without a GPU does not see them.
#include <string>
#include <vector>

namespace shed {

// Sorted. Empty when a directory is not there.
std::vector<std::string> driver_files(const std::string& library_directory,
                                      const std::string& program_directory);

}  // namespace shed
