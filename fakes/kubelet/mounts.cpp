#include "fakes/kubelet/compose.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>

namespace shed::kubelet {
namespace {

const Json& volume_named(const PodPlace& place, const std::string& name) {
    for (const Json& volume : member(place.spec(), "volumes")) {
        if (string_at(volume, "name") == name) return volume;
    }
    return member(place.spec(), "");
}

Result<Mount> volume_source(const PodPlace& place, const Json& volume) {
    Mount mount;
    mount.source = place.volume_path(string_at(volume, "name"));
    if (const Json& host = member(volume, "hostPath"); host.is_object()) {
        const auto found = host_place(place, host);
        if (!found) return found.error();
        mount.shared = static_cast<int>(place.host_mounts.size()) + found->allowed;
        mount.source = string_at(host, "path");
        if (!found->below.empty()) mount.below = {found->below};
        mount.file = found->file;
        mount.read_only = !found->writable;
    } else if (const Json& claim = member(volume, "persistentVolumeClaim"); claim.is_object()) {
        mount.source =
            place.claims_directory + "/" + place.pod->ns() + "/" + string_at(claim, "claimName");
        mount.read_only = bool_at(claim, "readOnly");
        mount.make = true;
    } else {
        mount.make = member(volume, "emptyDir").is_object();
        mount.read_only = !mount.make;
    }
    return mount;
}

// What is at base/below now: errno, or 0 and whether it is a file. Only to choose the form of the
// mount point and to tell what is wrong early: what is mounted is found anew.
int look_beneath(const std::string& base, const std::string& below, bool& file) {
    const int root = ::open(base.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return errno;
    struct open_how how = {};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
    const long fd = ::syscall(SYS_openat2, root, below.c_str(), &how, sizeof how);
    const int failed = fd < 0 ? errno : 0;
    ::close(root);
    if (failed != 0) return failed;
    struct stat status = {};
    file = ::fstat(static_cast<int>(fd), &status) == 0 && !S_ISDIR(status.st_mode);
    ::close(static_cast<int>(fd));
    return 0;
}

Result<void> apply_sub_path(const std::string& volume, const std::string& sub_path, Mount& mount) {
    const auto bad = [&] {
        return Error{Reason::invalid, "failed to prepare subPath for volumeMount \"" + volume +
                                          "\": \"" + sub_path +
                                          "\" does not lead to a place inside the volume"};
    };
    if (sub_path.front() == '/' || ("/" + sub_path + "/").find("/../") != std::string::npos)
        return bad();
    if (mount.shared >= 0 && mount.file) return bad();
    mount.below.push_back(sub_path);
    const int failed = look_beneath(mount.source, sub_path, mount.file);
    // Memory is not there for this process, and a directory of another user's may be closed to it.
    const bool unknown = failed == EACCES || (failed == ENOENT && mount.make);
    return failed == 0 || unknown ? Result<void>() : bad();
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
                        const std::map<std::string, std::string>& known) {
    const std::string name = string_at(spec, "name");
    const Json& volume = volume_named(place, name);
    if (!volume.is_object())
        return Error{Reason::invalid, "volumeMount \"" + name + "\" names no volume of the pod"};
    auto source = volume_source(place, volume);
    if (!source) return source.error();
    Mount mount = std::move(*source);
    mount.target = pod_path(string_at(spec, "mountPath"));
    mount.read_only = mount.read_only || bool_at(spec, "readOnly");
    if (mount.target == "/")
        return Error{Reason::invalid, "volumeMount \"" + name + "\": mountPath / is not possible"};
    const std::string sub_path =
        string_at(spec, "subPath", expand(string_at(spec, "subPathExpr"), known));
    if (sub_path.empty()) return mount;
    if (auto done = apply_sub_path(name, sub_path, mount); !done) return done.error();
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
                                         const Variables& variables) {
    const std::map<std::string, std::string> known(variables.begin(), variables.end());
    std::vector<Mount> mounts;
    for (const Json& spec : member(container, "volumeMounts")) {
        auto mount = one_mount(place, spec, known);
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
