// hostPath volumes: what of this machine a person lets pods mount, and of which type it is
// (pkg/volume/hostpath/host_path.go).
#include "fakes/kubelet/compose.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace shed::kubelet {
namespace {

// `path` beneath `prefix`: "" for the prefix itself, nullopt when it is elsewhere.
std::optional<std::string> beneath(const std::string& path, const std::string& prefix) {
    if (path == prefix) return "";
    const std::string with_slash = prefix.ends_with('/') ? prefix : prefix + "/";
    if (!path.starts_with(with_slash)) return std::nullopt;
    return path.substr(with_slash.size());
}

std::string normal(const std::string& path) {
    std::string text = std::filesystem::path(path).lexically_normal();
    while (text.size() > 1 && text.ends_with('/')) text.pop_back();
    return text;
}

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    bool open() const { return number_ >= 0; }
    int get() const { return number_; }

private:
    int number_;
};

int open_beneath(int root, const std::string& below, int flags, unsigned mode = 0) {
    if (below.empty()) return ::fcntl(root, F_DUPFD_CLOEXEC, 0);
    struct open_how how = {};
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
    how.mode = mode;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    return static_cast<int>(::syscall(SYS_openat2, root, below.c_str(), &how, sizeof how));
}

// 0, or errno.
int make_beneath(int root, const std::string& below, bool file) {
    for (auto slash = below.find('/');; slash = below.find('/', slash + 1)) {
        const std::string way = below.substr(0, slash);
        const bool last = slash == std::string::npos;
        if (const Descriptor there(open_beneath(root, way, O_PATH)); !there.open()) {
            const auto name = way.rfind('/');
            const std::string above = name == std::string::npos ? "." : way.substr(0, name);
            const Descriptor parent(open_beneath(root, above, O_PATH | O_DIRECTORY));
            const std::string own = name == std::string::npos ? way : way.substr(name + 1);
            const bool made = last && file
                                  ? Descriptor(::openat(parent.get(), own.c_str(),
                                                        O_CREAT | O_EXCL | O_CLOEXEC, 0644))
                                        .open()
                                  : ::mkdirat(parent.get(), own.c_str(), 0755) == 0;
            if (!made && errno != EEXIST) return errno;
        }
        if (last) return 0;
    }
}

Error refused(const std::string& path, const std::string& why) {
    return Error{Reason::forbidden, "hostPath \"" + path + "\" is refused: " + why};
}

struct Type {
    std::string_view name, wanted;  // "... is not a <wanted>"
    mode_t kind;
};
constexpr Type types[] = {
    {"Directory", "directory", S_IFDIR},
    {"DirectoryOrCreate", "directory", S_IFDIR},
    {"File", "file", S_IFREG},
    {"FileOrCreate", "file", S_IFREG},
    {"Socket", "socket file", S_IFSOCK},
    {"CharDevice", "character device", S_IFCHR},
    {"BlockDevice", "block device", S_IFBLK},
};

Result<void> check_type(const std::string& type, const std::string& path, int place) {
    if (type.empty()) return {};
    struct stat status = {};
    const bool known = place >= 0 && ::fstat(place, &status) == 0;
    for (const Type& row : types) {
        if (row.name != type) continue;
        if (known && (status.st_mode & S_IFMT) == row.kind) return {};
        return Error{Reason::invalid, "hostPath type check failed: " + path + " is not a " +
                                          std::string(row.wanted)};
    }
    return Error{Reason::invalid, type + " is an invalid volume type"};
}

}  // namespace

Result<HostPlace> host_place(const PodPlace& place, const Json& host_path) {
    const std::string path = normal(string_at(host_path, "path"));
    const std::string type = string_at(host_path, "type");
    HostPlace found;
    const AllowedHostPath* allowed = nullptr;
    for (std::size_t i = 0; i < place.allowed_host_paths.size(); ++i) {
        const AllowedHostPath& candidate = place.allowed_host_paths[i];
        const auto below = beneath(path, candidate.path);
        // The longest prefix says whether it is writable.
        if (!below || (allowed != nullptr && allowed->path.size() >= candidate.path.size()))
            continue;
        allowed = &candidate;
        found.allowed = static_cast<int>(i);
        found.below = *below;
    }
    if (allowed == nullptr)
        return refused(path, "pods see only what trainshed was started with: --allow-host-path " +
                                 path + "[:rw]");
    found.writable = allowed->writable;
    const Descriptor root(::open(allowed->path.c_str(), O_PATH | O_CLOEXEC));
    if (!root.open()) return refused(path, allowed->path + ": " + std::strerror(errno));
    const auto open_it = [&] { return open_beneath(root.get(), found.below, O_PATH); };
    const bool creates = type.empty() || type.ends_with("OrCreate");
    if (const Descriptor there(open_it()); !there.open()) {
        if (errno != ENOENT)
            return refused(path,
                           "it leads out of " + allowed->path + " (" + std::strerror(errno) + ")");
        if (creates && !allowed->writable)
            return refused(path, "it does not exist, and only --allow-host-path " + allowed->path +
                                     ":rw lets it be made");
        const int failed =
            creates ? make_beneath(root.get(), found.below, type == "FileOrCreate") : 0;
        if (failed != 0)
            return Error{Reason::invalid, "make " + path + ": " + std::strerror(failed)};
    }
    const Descriptor there(open_it());
    struct stat status = {};
    found.file = there.open() && ::fstat(there.get(), &status) == 0 && !S_ISDIR(status.st_mode);
    if (auto checked = check_type(type, path, there.get()); !checked) return checked.error();
    return found;
}

}  // namespace shed::kubelet
