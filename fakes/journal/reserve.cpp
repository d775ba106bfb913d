#include "fakes/journal/reserve.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace shed {

bool Reserve::take() {
    if (taken_) return true;
    const int descriptor = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (descriptor < 0) return false;
    // Really allocated: a hole would give nothing back.
    taken_ = ::posix_fallocate(descriptor, 0, static_cast<off_t>(bytes_)) == 0;
    ::close(descriptor);
    if (!taken_) ::unlink(path_.c_str());
    return taken_;
}

void Reserve::give_back() {
    ::unlink(path_.c_str());
    taken_ = false;
}

}  // namespace shed
