#include "fakes/podinit/members.hpp"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace shed::podinit {

namespace {

constexpr int rounds_max = 500, round_milliseconds = 2;

// How many were still there.
int kill_once(ino_t mount_namespace) {
    DIR* folder = ::opendir("/proc");
    if (folder == nullptr) return 0;
    int found = 0;
    while (const dirent* entry = ::readdir(folder)) {
        const auto pid = static_cast<pid_t>(std::atoi(entry->d_name));
        if (pid <= 0 || pid == ::getpid() || mount_namespace_of(pid) != mount_namespace) continue;
        ++found;
        ::kill(pid, SIGKILL);
    }
    ::closedir(folder);
    return found;
}

}  // namespace

ino_t mount_namespace_of(pid_t process) {
    struct stat info {};
    const std::string path = "/proc/" + std::to_string(process) + "/ns/mnt";
    return ::stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

void kill_members(ino_t mount_namespace) {
    if (mount_namespace == 0) return;
    // What is being killed is there for a moment longer, and may have forked before.
    for (int round = 0; round < rounds_max && kill_once(mount_namespace) > 0; ++round)
        ::poll(nullptr, 0, round_milliseconds);
}

}  // namespace shed::podinit
