#include "fakes/kubelet/compose.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace shed::kubelet {
namespace {

const Json& volume_named(const PodPlace& place, const std::string& name) {
    for (const Json& volume : member(place.spec(), "volumes")) {
        if (string_at(volume, "name") == name) return volume;
    }
    return member(place.spec(), "");
}

struct Source {
    std::string path;
    bool read_only = false;      // the kind of volume allows no writes
    bool writable_root = false;  // missing sub-directories may be made in it
};

Source source_of(const PodPlace& place, const Json& volume) {
    const std::string own = place.volume_path(string_at(volume, "name"));
    if (member(volume, "emptyDir").is_object()) return {own, false, true};
    if (const Json& host = member(volume, "hostPath"); host.is_object())
        return {string_at(host, "path"), false, false};
    if (const Json& claim = member(volume, "persistentVolumeClaim"); claim.is_object()) {
        return {
            place.claims_directory + "/" + place.pod->ns() + "/" + string_at(claim, "claimName"),
            bool_at(claim, "readOnly"), true};
    }
    return {own, true, false};
}

struct Resolved {
    std::string path;
    bool file = false;
};

// The real path of base/below, which may not leave base by links or dots: a pod may have put links
// there.
std::optional<Resolved> resolve_beneath(const std::string& base, const std::string& below) {
    const int root = ::open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return std::nullopt;
    struct open_how how = {};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const long fd = ::syscall(SYS_openat2, root, below.c_str(), &how, sizeof how);
    ::close(root);
    if (fd < 0) return std::nullopt;
    char real[4096];
    const ssize_t length =
        ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), real, sizeof real);
    struct stat status = {};
    const bool known = ::fstat(static_cast<int>(fd), &status) == 0;
    ::close(static_cast<int>(fd));
    if (length <= 0 || !known) return std::nullopt;
    return Resolved{std::string(real, static_cast<std::size_t>(length)), !S_ISDIR(status.st_mode)};
}

Error bad_sub_path(const std::string& volume, const std::string& sub_path) {
    return Error{Reason::invalid, "failed to prepare subPath for volumeMount \"" + volume +
                                      "\": \"" + sub_path +
                                      "\" does not lead to a place inside the volume"};
}

Result<void> apply_sub_path(const Source& source, const std::string& volume,
                            const std::string& sub_path, Mount& mount, Spec& files) {
    if (sub_path.front() == '/' || ("/" + sub_path + "/").find("/../") != std::string::npos)
        return bad_sub_path(volume, sub_path);
    if (auto found = resolve_beneath(source.path, sub_path)) {
        mount.source = found->path;
        mount.file = found->file;
        return {};
    }
    if (!source.writable_root || ::access((source.path + "/" + sub_path).c_str(), F_OK) == 0)
        return bad_sub_path(volume, sub_path);
    // Only the part that does not exist yet is made, so no link of the pod can be on the way.
    std::string path = source.path;
    std::string rest = sub_path + "/";
    for (auto slash = rest.find('/'); slash != std::string::npos; slash = rest.find('/')) {
        path += "/" + rest.substr(0, slash);
        rest.erase(0, slash + 1);
        struct stat status = {};
        if (::lstat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode))
            return bad_sub_path(volume, sub_path);
        if (::lstat(path.c_str(), &status) != 0) files.push_back({"mkdir", path, "0777", "0", "0"});
    }
    mount.source = path;
    return {};
}

std::size_t depth(const std::string& path) {
    return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

// What is mounted at a path hides what was mounted below it before.
void sort_by_depth(std::vector<Mount>& mounts) {
    std::stable_sort(mounts.begin(), mounts.end(), [](const Mount& a, const Mount& b) {
        return depth(a.target) < depth(b.target);
    });
}

Result<Mount> one_mount(const PodPlace& place, const Json& spec,
                        const std::map<std::string, std::string>& known, Spec& files) {
    const std::string name = string_at(spec, "name");
    const Json& volume = volume_named(place, name);
    if (!volume.is_object())
        return Error{Reason::invalid, "volumeMount \"" + name + "\" names no volume of the pod"};
    const Source source = source_of(place, volume);
    Mount mount;
    mount.source = source.path;
    mount.target = pod_path(string_at(spec, "mountPath"));
    mount.read_only = source.read_only || bool_at(spec, "readOnly");
    if (mount.target == "/")
        return Error{Reason::invalid, "volumeMount \"" + name + "\": mountPath / is not possible"};
    // Shared memory must be memory: in a container of its own, nothing else can see the volume
    // there anyway.
    if (mount.target == "/dev/shm" && string_at(volume, "emptyDir.medium") == "Memory") {
        const auto size = Quantity::from_json(at_path(volume, "emptyDir.sizeLimit"));
        mount.memory = true;
        mount.source = size ? "mode=1777,size=" + std::to_string(size->value()) : "mode=1777";
        return mount;
    }
    const std::string sub_path =
        string_at(spec, "subPath", expand(string_at(spec, "subPathExpr"), known));
    if (!sub_path.empty()) {
        if (auto done = apply_sub_path(source, name, sub_path, mount, files); !done)
            return done.error();
    }
    return mount;
}

}  // namespace

std::string pod_path(std::string_view path) {
    std::vector<std::string> parts;
    for (std::size_t at = 0; at <= path.size();) {
        const auto end = std::min(path.find('/', at), path.size());
        const std::string part(path.substr(at, end - at));
        at = end + 1;
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (!parts.empty()) parts.pop_back();
            continue;
        }
        parts.push_back(part);
        if (parts.size() == 2 && parts[0] == "var" && parts[1] == "run") parts = {"run"};
        if (parts.size() == 1 && (part == "bin" || part == "sbin" || part == "lib" ||
                                  part == "lib32" || part == "lib64")) {
            parts = {"usr", part};
        }
    }
    std::string out;
    for (const std::string& part : parts) out += "/" + part;
    return out.empty() ? "/" : out;
}

Result<std::vector<Mount>> volume_mounts(const PodPlace& place, const Json& container,
                                         const Variables& variables, Spec& files) {
    const std::map<std::string, std::string> known(variables.begin(), variables.end());
    std::vector<Mount> mounts;
    for (const Json& spec : member(container, "volumeMounts")) {
        auto mount = one_mount(place, spec, known, files);
        if (!mount) return mount.error();
        mounts.push_back(std::move(*mount));
    }
    sort_by_depth(mounts);
    return mounts;
}

void add_host_mounts(const PodPlace& place, const std::string& home, std::vector<Mount>& mounts) {
    for (std::size_t i = 0; i < place.host_mounts.size(); ++i) {
        const HostMount& host = place.host_mounts[i];
        Mount mount;
        mount.source = host.source;
        mount.target =
            pod_path(host.target.starts_with("~/") ? home + host.target.substr(1) : host.target);
        mount.read_only = host.kind != HostMount::Kind::read_write;
        mount.file = host.file;
        mount.shared = static_cast<int>(i);
        mount.cache = host.kind == HostMount::Kind::cache;
        mount.left_out = host.left_out;
        const bool taken = std::any_of(mounts.begin(), mounts.end(), [&](const Mount& other) {
            return other.target == mount.target;
        });
        if (!taken) mounts.push_back(std::move(mount));
    }
    sort_by_depth(mounts);
}

}  // namespace shed::kubelet
