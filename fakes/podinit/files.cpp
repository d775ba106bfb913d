#include "fakes/podinit/files.hpp"

#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace shed::podinit {

namespace {

struct Owner {
    unsigned mode;
    uid_t uid;
    gid_t gid;
};

Owner owner_of(const Record& r, bool single) {
    auto mode = static_cast<unsigned>(std::strtoul(r[2].c_str(), nullptr, 8));
    // sshd and ssh refuse private keys of their own user that others may read.
    if (single) mode &= 07700u;
    return {mode, static_cast<uid_t>(std::atol(r[3].c_str())), static_cast<gid_t>(std::atol(r[4].c_str()))};
}

std::string settle(const std::string& path, const Owner& owner, bool single) {
    if (!single && ::lchown(path.c_str(), owner.uid, owner.gid) != 0) return failure("chown " + path);
    if (::chmod(path.c_str(), owner.mode) != 0) return failure("chmod " + path);
    return "";
}

std::string make_file(const Record& r, bool single) {
    const std::string& path = r[1];
    ::unlink(path.c_str());
    const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.open()) return failure("make " + path);
    if (r.size() > 5 && !write_all(file.get(), r[5])) return failure("write " + path);
    return settle(path, owner_of(r, single), single);
}

std::string perform(const Record& r, bool single) {
    const std::string& word = r[0];
    if (word == "mkdir" && r.size() == 5) {
        if (!make_directories(r[1], 0700)) return failure("mkdir " + r[1]);
        return settle(r[1], owner_of(r, single), single);
    }
    if (word == "file" && r.size() >= 5) return make_file(r, single);
    if (word == "link" && r.size() == 3) {
        ::unlink(r[1].c_str());
        return ::symlink(r[2].c_str(), r[1].c_str()) == 0 ? "" : failure("link " + r[1]);
    }
    if (word == "rmtree" && r.size() == 2) return remove_tree(r[1], true) ? "" : failure("rmtree " + r[1]);
    if (word == "rename" && r.size() == 3)
        return ::rename(r[1].c_str(), r[2].c_str()) == 0 ? "" : failure("rename " + r[1]);
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
