#include "fakes/podinit/beneath.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace shed::podinit {

namespace {

constexpr int tries_max =
    128;  // the kernel asks for another when a rename crosses a ".." (openat2(2))

Descriptor resolve(int root, const std::string& path, std::uint64_t how_to) {
    open_how how{};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = how_to | RESOLVE_NO_MAGICLINKS;
    for (int i = 0; i < tries_max; ++i) {
        const long found = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how);
        if (found >= 0) return Descriptor(static_cast<int>(found));
        if (errno != EAGAIN) break;
    }
    return Descriptor();
}

// Makes what is missing of `path`, element by element; the whole path opened, or none.
Descriptor make_and_resolve(int root, const std::string& path, std::uint64_t how_to, bool directory,
                            mode_t mode) {
    Descriptor here(::fcntl(root, F_DUPFD_CLOEXEC, 0));
    std::string way;
    const std::vector<std::string> elements = split(path, '/');
    for (std::size_t i = 0; i < elements.size() && here.open(); ++i) {
        if (elements[i].empty() || elements[i] == ".") continue;
        way += (way.empty() ? "" : "/") + elements[i];
        Descriptor next = resolve(root, way, how_to);
        if (!next.open() && errno == ENOENT) {
            const char* name = elements[i].c_str();
            if (directory || i + 1 < elements.size()) {
                if (::mkdirat(here.get(), name, mode) != 0 && errno != EEXIST) return Descriptor();
            } else {
                const Descriptor made(
                    ::openat(here.get(), name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
                if (!made.open() && errno != EEXIST) return Descriptor();
            }
            next = resolve(root, way, how_to);
        }
        here = static_cast<Descriptor&&>(next);
    }
    return here;
}

}  // namespace

bool is_directory(int descriptor) {
    struct stat info {};
    return ::fstat(descriptor, &info) == 0 && S_ISDIR(info.st_mode);
}

Descriptor open_beneath(int root, const std::vector<std::string>& below, bool make,
                        std::string& error) {
    Descriptor here(::fcntl(root, F_DUPFD_CLOEXEC, 0));
    for (std::size_t i = 0; i < below.size() && here.open(); ++i) {
        Descriptor next = resolve(here.get(), below[i], RESOLVE_BENEATH);
        if (!next.open() && errno == ENOENT && make && i + 1 == below.size())
            next = make_and_resolve(here.get(), below[i], RESOLVE_BENEATH, true, 0777);
        if (!next.open()) error = failure("subPath " + below[i] + " inside the volume");
        here = static_cast<Descriptor&&>(next);
    }
    return here;
}

Descriptor open_target(const std::string& root, const std::string& path, bool directory,
                       std::string& error) {
    const Descriptor top(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    Descriptor found = resolve(top.get(), path, RESOLVE_IN_ROOT);
    if (!found.open() && errno == ENOENT)
        found = make_and_resolve(top.get(), path, RESOLVE_IN_ROOT, directory, 0755);
    if (!found.open()) error = failure("make mount point " + path);
    return found;
}

Descriptor copy_mounts(int place, std::string& error) {
    // Recursive: in a user namespace the kernel refuses to uncover what is mounted below.
    const long copy = ::syscall(SYS_open_tree, place, "",
                                AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (copy < 0) error = failure("copy the mount");
    return Descriptor(static_cast<int>(copy));
}

std::string attach(int copy, bool read_only, int target) {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (read_only && ::syscall(SYS_mount_setattr, copy, "", AT_EMPTY_PATH | AT_RECURSIVE,
                               &attributes, sizeof attributes) != 0)
        return failure("make it read-only");
    if (::syscall(SYS_move_mount, copy, "", target, "",
                  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        return failure("mount");
    return "";
}

}  // namespace shed::podinit
