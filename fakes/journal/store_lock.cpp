#include "fakes/journal/store_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace shed {

Result<StoreLock> StoreLock::take(const std::string& path) {
    const std::string file = path + "-lock";
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0)
        return Error{Reason::environment, "cannot open " + file + ": " + std::strerror(errno)};
    StoreLock lock(descriptor);
    char text[32] = {};
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        const ssize_t size = ::pread(descriptor, text, sizeof text - 1, 0);
        const std::string pid = size > 0 ? " (pid " + std::to_string(std::atol(text)) + ")" : "";
        return Error{Reason::conflict, "the store " + path + " is in use by another process" + pid +
                                           "; end that, or name another file"};
    }
    const std::string own = std::to_string(::getpid()) + "\n";
    const bool written =
        ::ftruncate(descriptor, 0) == 0 &&
        ::pwrite(descriptor, own.data(), own.size(), 0) == static_cast<ssize_t>(own.size());
    // The pid is only for whoever is refused; a full disk must not keep us from starting.
    static_cast<void>(written);
    return lock;
}

// The file stays: removing it would let two processes hold one lock each.
StoreLock::~StoreLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace shed
