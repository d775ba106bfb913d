#include "fakes/podinit/groups.hpp"

#include "fakes/podinit/util.hpp"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace shed::podinit {

namespace {

constexpr int patience_ms = 2000, look_again_ms = 10;

// Groups nest three deep: cluster, pod, container; files in them go with them.
void remove_group(const std::string& directory) {
    if (DIR* listing = ::opendir(directory.c_str()); listing != nullptr) {
        while (const dirent* entry = ::readdir(listing))
            if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
                remove_group(directory + "/" + entry->d_name);
        ::closedir(listing);
    }
    ::rmdir(directory.c_str());
}

bool is_gone(const std::string& directory) {
    struct stat info {};
    return ::stat(directory.c_str(), &info) != 0;
}

}  // namespace

std::string join_groups(const std::vector<int>& procs) {
    for (const int descriptor : procs)
        if (!write_all(descriptor, "0")) return failure("join a control group");
    return "";
}

void remove_groups(const std::string& file) {
    std::string text;
    if (!read_text(file.c_str(), text)) return;
    const std::int64_t deadline = steady_milliseconds() + patience_ms;
    for (const std::string& directory : split(text, '\n')) {
        remove_group(directory);
        while (!is_gone(directory) && steady_milliseconds() < deadline) {
            ::poll(nullptr, 0, look_again_ms);
            remove_group(directory);
        }
    }
}

}  // namespace shed::podinit
