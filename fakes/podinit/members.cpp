#include "fakes/podinit/members.hpp"

#include "fakes/podinit/util.hpp"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
        // Looked at again while it is held: the id may have become another process's meanwhile.
        const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
        if (!process.open() || mount_namespace_of(pid) != mount_namespace) continue;
        ++found;
        ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0);
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
