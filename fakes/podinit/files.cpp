#include "fakes/podinit/files.hpp"

#include "fakes/podinit/numbers.hpp"
#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace shed::podinit {

namespace {

struct Owner {
    unsigned mode;
    uid_t uid;
    gid_t gid;
};

std::string parse_owner(const Record& r, bool single, Owner& owner) {
    std::string error;
    take_number("mode", r[2], mode_max, owner.mode, error, 8);
    take_number("uid", r[3], id_max, owner.uid, error);
    take_number("gid", r[4], id_max, owner.gid, error);
    // sshd and ssh refuse private keys of their own user that others may read.
    if (single) owner.mode &= 07700u;
    return error.empty() ? "" : r[0] + " " + r[1] + ": " + error;
}

std::string settle(const std::string& path, const Owner& owner, bool single) {
    if (!single && ::lchown(path.c_str(), owner.uid, owner.gid) != 0) return failure("chown " + path);
    if (::chmod(path.c_str(), owner.mode) != 0) return failure("chmod " + path);
    return "";
}

std::string make_directory(const Record& r, bool single) {
    Owner owner{};
    const std::string error = parse_owner(r, single, owner);
    if (!error.empty()) return error;
    if (!make_directories(r[1], 0700)) return failure("mkdir " + r[1]);
    return settle(r[1], owner, single);
}

std::string make_file(const Record& r, bool single) {
    const std::string& path = r[1];
    Owner owner{};
    const std::string error = parse_owner(r, single, owner);
    if (!error.empty()) return error;
    ::unlink(path.c_str());
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.open()) return failure("make " + path);
    if (r.size() > 5 && !write_all(file.get(), r[5])) return failure("write " + path);
    return settle(path, owner, single);
}

bool is_mount_point(const std::string& path) {
    struct stat own {}, parent {};
    return ::lstat(path.c_str(), &own) == 0 && ::lstat((path + "/..").c_str(), &parent) == 0 &&
           own.st_dev != parent.st_dev;
}

std::string mount_memory(const Record& r) {
    if (is_mount_point(r[1])) return "";
    const bool done = ::mount("tmpfs", r[1].c_str(), "tmpfs", MS_NOSUID | MS_NODEV, r[2].c_str()) == 0;
    return done ? "" : failure("mount tmpfs on " + r[1] + " with " + r[2]);
}

std::string unmount(const std::string& path) {
    const bool done = ::umount2(path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) == 0;
    return done || errno == EINVAL || errno == ENOENT ? "" : failure("unmount " + path);
}

std::string perform(const Record& r, bool single) {
    const std::string& word = r[0];
    if (word == "mkdir" && r.size() == 5) return make_directory(r, single);
    if (word == "file" && r.size() >= 5) return make_file(r, single);
    if (word == "link" && r.size() == 3) {
        ::unlink(r[1].c_str());
        return ::symlink(r[2].c_str(), r[1].c_str()) == 0 ? "" : failure("link " + r[1]);
    }
    // What overlayfs takes for "not there"; it needs no privilege (Linux 5.8).
    if (word == "whiteout" && r.size() == 2)
        return ::mknod(r[1].c_str(), S_IFCHR, 0) == 0 ? "" : failure("whiteout " + r[1]);
    if (word == "rmtree" && r.size() == 2) return remove_tree(r[1], true) ? "" : failure("rmtree " + r[1]);
    if (word == "rename" && r.size() == 3)
        return ::rename(r[1].c_str(), r[2].c_str()) == 0 ? "" : failure("rename " + r[1]);
    if (word == "tmpfs" && r.size() == 3) return mount_memory(r);
    if (word == "unmount" && r.size() == 2) return unmount(r[1]);
    return "unknown file operation: " + word;
}

}  // namespace

std::string perform_files(const std::vector<Record>& records, bool single) {
    for (const Record& record : records) {
        std::string error = perform(record, single);
        if (!error.empty()) return error;
    }
    return "";
}

}  // namespace shed::podinit
