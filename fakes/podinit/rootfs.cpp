#include "fakes/podinit/rootfs.hpp"

#include "fakes/podinit/beneath.hpp"
#include "fakes/podinit/cache_view.hpp"
#include "fakes/podinit/numbers.hpp"
#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

namespace shed::podinit {

namespace {

constexpr std::string_view root_words[] = {"dir", "symlink", "bind",   "beneath", "overlay",      "tmpfs", "proc",
                                           "sys", "dev",     "device", "shared",  "readonly-root"};

bool exists(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

// A place for a file system of the root's own, where nobody else has been yet.
std::string make_target(const std::string& target) {
    return exists(target) || make_directories(target, 0755) ? "" : failure("make mount point " + target);
}

std::string make_read_only(const std::string& path) {
    mount_attr attributes{};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::syscall(SYS_mount_setattr, -1, path.c_str(), 0, &attributes, sizeof attributes) == 0) return "";
    return failure("make " + path + " read-only");
}

// Where a pod may have been before: in the root, so that its links lead nowhere else.
std::string attach_in(const std::string& root, const std::string& target, int copy, bool read_only) {
    std::string error;
    const Descriptor place = open_target(root, target, is_directory(copy), error);
    return error.empty() ? attach(copy, read_only, place.get()) : error;
}

std::string bind(const std::string& source, const std::string& root, const std::string& target, bool read_only) {
    const std::string what = "bind " + source + " on " + target + ": ";
    const Descriptor place(::open(source.c_str(), O_PATH | O_CLOEXEC));
    if (!place.open()) return errno == ENOENT ? what + "there is no " + source : failure(what + "open");
    std::string error;
    const Descriptor copy = copy_mounts(place.get(), error);
    if (error.empty()) error = attach_in(root, target, copy.get(), read_only);
    return error.empty() ? "" : what + error;
}

// A place inside a directory that pods can write.
std::string bind_beneath(const Record& r, const std::string& root) {
    const Descriptor volume(::open(r[1].c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!volume.open()) return failure("open " + r[1]);
    std::string error;
    const Descriptor place =
        open_beneath(volume.get(), std::vector<std::string>(r.begin() + 5, r.end()), r[4] == "make", error);
    if (!error.empty()) return error;
    const Descriptor copy = copy_mounts(place.get(), error);
    if (error.empty()) error = attach_in(root, r[2], copy.get(), r[3] == "ro");
    return error.empty() ? "" : "mount on " + r[2] + ": " + error;
}

std::string overlay(const Record& r, const std::string& root) {
    if (r.size() == 3) return bind(r[2], root, r[1], true);
    const std::string target = root + r[1];
    std::string error = make_target(target);
    if (!error.empty()) return error;
    std::string options = "lowerdir=";
    for (std::size_t i = 2; i < r.size(); ++i) options += (i == 2 ? "" : ":") + r[i];
    if (::mount("overlay", target.c_str(), "overlay", MS_RDONLY, options.c_str()) != 0)
        return failure("overlay " + options + " on " + target);
    return "";
}

std::string mount_kind(const char* kind, const std::string& target, unsigned long flags, const char* options) {
    std::string error = make_target(target);
    if (!error.empty()) return error;
    if (::mount(kind, target.c_str(), kind, flags, options) != 0)
        return failure(std::string("mount ") + kind + " on " + target);
    return "";
}

// What the kernel tells about itself and other users' keys. Container runtimes cover these, too, and leave the first to
// the kernel's own settings.
constexpr const char* covered_files[] = {"kallsyms", "kcore", "keys", "timer_list", "sched_debug"};

std::string make_proc(const std::string& root) {
    std::string error = mount_kind("proc", root + "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
    for (const char* name : covered_files)
        if (const std::string path = std::string("/proc/") + name; error.empty() && exists(root + path))
            error = bind("/dev/null", root, path, false);
    return error;
}

// A private /dev: without a pty of its own a rank's output would arrive all at the end.
std::string make_dev(const std::string& root, bool single, int memory) {
    const std::string dev = root + "/dev";
    std::string error = mount_kind("tmpfs", dev, MS_NOSUID, "mode=0755,size=64k");
    if (!error.empty()) return error;
    for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
        error = bind(std::string("/dev/") + name, root, std::string("/dev/") + name, false);
        if (!error.empty()) return error;
    }
    // gid 5 is tty; a single map has no such id.
    const char* pts = single ? "newinstance,ptmxmode=0666,mode=0620" : "newinstance,ptmxmode=0666,mode=0620,gid=5";
    error = mount_kind("devpts", dev + "/pts", MS_NOSUID | MS_NOEXEC, pts);
    if (error.empty() && memory < 0) error = mount_kind("tmpfs", dev + "/shm", MS_NOSUID | MS_NODEV, "mode=1777");
    if (error.empty() && memory >= 0) error = attach_in(root, "/dev/shm", memory, false);
    if (!error.empty()) return error;
    mount_kind("mqueue", dev + "/mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);  // Optional in the kernel.
    const char* links[][2] = {{"pts/ptmx", "/ptmx"},           {"/proc/self/fd", "/fd"},
                              {"/proc/self/fd/0", "/stdin"},   {"/proc/self/fd/1", "/stdout"},
                              {"/proc/self/fd/2", "/stderr"}};
    for (const auto& link : links)
        if (::symlink(link[0], (dev + link[1]).c_str()) != 0) return failure(std::string("link ") + link[1]);
    return "";
}

std::string attach_shared(const Record& r, const std::string& root, bool single, int copy) {
    if (r.size() < 4) return "bad root record: shared";
    std::string error = attach_in(root, r[2], copy, r[3] != "rw");
    if (!error.empty()) return "mount on " + r[2] + " what is shared: " + error;
    if (r[3] != "cache") return "";
    if (r.size() < 7) return "bad root record: shared";
    CacheView cache{root, r[2], r[4], 0, 0, single, {}};
    take_number("uid", r[5], id_max, cache.uid, error);
    take_number("gid", r[6], id_max, cache.gid, error);
    if (!error.empty()) return "shared " + r[2] + ": " + error;
    cache.left_out.assign(r.begin() + 7, r.end());
    return make_cache_view(cache);
}

std::string build(const Record& r, const std::string& root, bool single, int memory) {
    const std::string& word = r[0];
    if (word == "proc") return make_proc(root);
    if (word == "sys") return bind("/sys", root, "/sys", true);
    if (word == "dev") return make_dev(root, single, memory);
    if (word == "readonly-root") return "";  // Last of all, below.
    if (word == "overlay" && r.size() >= 3) return overlay(r, root);
    if (word == "bind" && r.size() == 4) return bind(r[1], root, r[2], r[3] == "ro");
    if (word == "beneath" && r.size() >= 6) return bind_beneath(r, root);
    if (word == "device" && r.size() == 3) return bind(r[1], root, r[2], false);
    if (word == "tmpfs" && r.size() >= 2)
        return mount_kind("tmpfs", root + r[1], MS_NOSUID | MS_NODEV, r.size() > 2 ? r[2].c_str() : "mode=1777");
    if (word == "symlink" && r.size() == 3)
        return ::symlink(r[2].c_str(), (root + r[1]).c_str()) == 0 ? "" : failure("link " + r[1]);
    if (word == "dir" && r.size() == 3) {
        const std::string path = root + r[1];
        std::string error;
        mode_t mode = 0;
        if (!take_number("mode", r[2], mode_max, mode, error, 8)) return "dir " + r[1] + ": " + error;
        if (!make_directories(path, 0755)) return failure("make " + path);
        return ::chmod(path.c_str(), mode) == 0 ? "" : failure("chmod " + path);
    }
    return "bad root record: " + word;
}

std::string change_root(const std::string& root) {
    if (::chdir(root.c_str()) != 0) return failure("enter " + root);
    // The old root lands on top of the new one and is let go from there (pivot_root(2), "pivot_root(".", ".")").
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return failure("pivot_root");
    if (::umount2(".", MNT_DETACH) != 0) return failure("let go of the old root");
    return ::chdir("/") == 0 ? "" : failure("enter /");
}

}  // namespace

bool is_root_record(const Record& record) {
    for (const std::string_view word : root_words)
        if (record[0] == word) return true;
    return false;
}

std::string copy_mount(int original, int& copy) {
    std::string error;
    copy = copy_mounts(original, error).release();
    return error;
}

std::string copy_shared(const std::vector<Record>& records, const std::vector<int>& shared, std::vector<int>& copies) {
    for (const Record& r : records) {
        if (r[0] != "shared") continue;
        if (r.size() < 4) return "bad root record: shared";
        std::string error;
        std::size_t index = 0;
        if (!take_number("shared", r[1], INT_MAX, index, error)) return error;
        if (index >= shared.size()) return "shared record names no mount of the holder";
        const bool whole = r[3] == "cache";
        const std::vector<std::string> below(whole ? r.end() : r.begin() + 4, r.end());
        const Descriptor place = open_beneath(shared[index], below, false, error);
        Descriptor copy;
        if (error.empty()) copy = copy_mounts(place.get(), error);
        if (!error.empty()) return "what is shared for " + r[2] + ": " + error;
        copies.push_back(copy.release());
    }
    return "";
}

std::string enter_root(const std::vector<Record>& records, const std::string& mount_point, bool single,
                       const std::vector<int>& copies, int memory) {
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failure("make mounts private");
    if (::mount("tmpfs", mount_point.c_str(), "tmpfs", MS_NOSUID, "mode=0755") != 0)
        return failure("mount the root on " + mount_point);
    const mode_t mask = ::umask(0);
    const Record* read_only = nullptr;
    auto copy = copies.begin();
    for (const Record& record : records) {
        if (!is_root_record(record)) continue;
        if (record[0] == "readonly-root") read_only = &record;
        std::string error = record[0] == "shared" ? attach_shared(record, mount_point, single, *copy++)
                                                  : build(record, mount_point, single, memory);
        if (!error.empty()) return error;
    }
    ::umask(mask);
    if (read_only != nullptr) {
        std::string error = make_read_only(mount_point);
        for (std::size_t i = 1; i < read_only->size() && error.empty(); ++i)
            error = make_read_only(mount_point + (*read_only)[i]);
        if (!error.empty()) return error;
    }
    return change_root(mount_point);
}

}  // namespace shed::podinit
