#include "fakes/podinit/util.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace shed::podinit {

namespace {

constexpr int directory_flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

// Opens a directory of which one may be the owner without any right to it.
int open_directory(int parent, const char* name) {
    const int opened = ::openat(parent, name, directory_flags);
    if (opened >= 0 || errno != EACCES || ::fchmodat(parent, name, 0700, 0) != 0) return opened;
    return ::openat(parent, name, directory_flags);
}

// Goes down with one open directory and up again through "..", which must be where it came from.
class Removal {
public:
    explicit Removal(int top) : here_(top) { enter(); }

    bool run() {
        for (;;) {
            const std::string below = next_directory();
            if (!below.empty()) descend(below);
            else if (levels_.size() == 1) return trouble_ == 0 || fail();
            else if (!ascend()) return fail();
        }
    }

private:
    struct Level {
        dev_t device;
        ino_t inode;
        std::string name;             // in the directory above
        std::set<std::string> stuck;  // could not be removed: not to be tried again
    };

    bool fail() {
        errno = trouble_;
        return false;
    }

    void enter(std::string name = "") {
        struct stat info {};
        ::fstat(here_.get(), &info);
        if ((info.st_mode & S_IRWXU) != S_IRWXU) ::fchmod(here_.get(), 0700);
        levels_.push_back({info.st_dev, info.st_ino, static_cast<std::string&&>(name), {}});
    }

    void leave(const std::string& name) {
        trouble_ = errno;
        levels_.back().stuck.insert(name);
    }

    // Removes all but directories; the first directory of those, or "".
    std::string next_directory() {
        const int copy = ::openat(here_.get(), ".", directory_flags);
        DIR* folder = copy < 0 ? nullptr : ::fdopendir(copy);
        if (folder == nullptr) {
            trouble_ = errno;
            if (copy >= 0) ::close(copy);
            return "";
        }
        std::string found;
        while (const dirent* entry = found.empty() ? ::readdir(folder) : nullptr) {
            const std::string name = entry->d_name;
            if (name == "." || name == ".." || levels_.back().stuck.contains(name)) continue;
            struct stat info {};
            if (::fstatat(here_.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
            if (S_ISDIR(info.st_mode)) found = name;
            else if (::unlinkat(here_.get(), name.c_str(), 0) != 0 && errno != ENOENT) leave(name);
        }
        ::closedir(folder);
        return found;
    }

    void descend(const std::string& name) {
        const int below = open_directory(here_.get(), name.c_str());
        if (below < 0) {
            leave(name);
            return;
        }
        here_.reset(below);
        enter(name);
    }

    bool ascend() {
        const std::string name = levels_.back().name;
        levels_.pop_back();
        Descriptor above(::openat(here_.get(), "..", directory_flags));
        struct stat info {};
        if (!above.open() || ::fstat(above.get(), &info) != 0) {
            trouble_ = errno;
            return false;
        }
        if (info.st_dev != levels_.back().device || info.st_ino != levels_.back().inode) {
            trouble_ = EBUSY;  // Someone moved the tree meanwhile.
            return false;
        }
        here_ = static_cast<Descriptor&&>(above);
        if (::unlinkat(here_.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) leave(name);
        return true;
    }

    Descriptor here_;
    std::vector<Level> levels_;
    int trouble_ = 0;
};

}  // namespace

bool remove_tree(const std::string& path, bool itself) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) return errno == ENOENT;
    if (!S_ISDIR(info.st_mode)) {
        if (itself) return ::unlink(path.c_str()) == 0 || errno == ENOENT;
        errno = ENOTDIR;
        return false;
    }
    const int top = open_directory(AT_FDCWD, path.c_str());
    if (top < 0) return errno == ENOENT;
    if (!Removal(top).run()) return false;
    return !itself || ::rmdir(path.c_str()) == 0 || errno == ENOENT;
}

}  // namespace shed::podinit
