// Who owns a cluster, told by the lock it holds: an id in a file is no proof.
#include "simulator/paths.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

namespace fs = std::filesystem;

namespace shed {

namespace {

bool has_open(int pid, const std::string& path) {
    struct stat wanted {}, info {};
    if (::stat(path.c_str(), &wanted) != 0) return false;
    std::error_code ec;
    for (fs::directory_iterator entry("/proc/" + std::to_string(pid) + "/fd", ec), end; !ec && entry != end;
         entry.increment(ec))
        if (::stat(entry->path().c_str(), &info) == 0 && info.st_ino == wanted.st_ino && info.st_dev == wanted.st_dev)
            return true;
    return false;
}

}  // namespace

std::optional<OwnerProcess> OwnerProcess::find(const ClusterPaths& paths) {
    const auto cluster = read_cluster(paths);
    const int pid = cluster ? cluster->value("pid", 0) : 0;
    if (pid <= 1) return std::nullopt;
    // Held before it is looked at: what is looked at then is either this process or one that gets no signal from us.
    OwnerProcess process(pid, static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (process.descriptor_ < 0 || process.ended() || !has_open(pid, paths.lock)) return std::nullopt;
    return process;
}

OwnerProcess::OwnerProcess(OwnerProcess&& other) noexcept
    : pid_(other.pid_), descriptor_(std::exchange(other.descriptor_, -1)) {}

OwnerProcess::~OwnerProcess() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

bool OwnerProcess::signal(int number) const {
    return ::syscall(SYS_pidfd_send_signal, descriptor_, number, nullptr, 0) == 0;
}

bool OwnerProcess::ended() const {
    pollfd watched = {descriptor_, POLLIN, 0};
    return ::poll(&watched, 1, 0) > 0;
}

}  // namespace shed
