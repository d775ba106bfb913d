#pragma once
// What of this machine pods see besides their images: `--mount`, and caches of downloads.
#include "fakes/base/result.hpp"
#include "fakes/kubelet/host_mount.hpp"

#include <functional>

namespace shed {

// HOST[:POD[:ro|rw]]; POD is HOST when left out. bad_request says what is wrong with which.
Result<HostMount> parse_mount(const std::string& text);
// Caches that are there: Hugging Face's and MLX Data's, each at its usual place in the pod's home.
std::vector<HostMount> shared_caches(const std::function<std::string(const char* variable)>& get);
// All of a cluster, from its options and this process's environment.
Result<std::vector<HostMount>> host_mounts(const std::vector<std::string>& mounts, bool share_caches);
// PREFIX[:ro|rw]; bad_request says what is wrong with which.
Result<AllowedHostPath> parse_allowed_host_path(const std::string& text);
Result<std::vector<AllowedHostPath>> allowed_host_paths(const std::vector<std::string>& texts);
std::string allowed_text(const AllowedHostPath& allowed);  // "/data by hostPath, read-only"
// "/data at /mnt/data, read-only"
std::string mount_text(const HostMount& mount);

}  // namespace shed
