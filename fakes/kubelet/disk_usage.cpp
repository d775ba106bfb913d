#include "fakes/kubelet/disk_usage.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <set>

namespace shed::kubelet {

std::int64_t disk_usage(const std::string& directory, std::int64_t enough) {
    namespace fs = std::filesystem;
    constexpr std::int64_t block_bytes = 512;  // of st_blocks, whatever the file system's
    std::set<std::pair<dev_t, ino_t>> linked;  // counted files that have another name
    std::int64_t bytes = 0;
    const auto count = [&](const fs::path& path) {
        struct stat info = {};
        if (::lstat(path.c_str(), &info) != 0) return;
        const bool many = !S_ISDIR(info.st_mode) && info.st_nlink > 1;
        if (!many || linked.emplace(info.st_dev, info.st_ino).second)
            bytes += info.st_blocks * block_bytes;
    };
    count(directory);
    std::error_code ec;
    fs::recursive_directory_iterator at(directory, fs::directory_options::skip_permission_denied,
                                        ec);
    for (; !ec && at != fs::recursive_directory_iterator() && bytes <= enough; at.increment(ec))
        count(at->path());
    return bytes;
}

}  // namespace shed::kubelet
