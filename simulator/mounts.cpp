#include "simulator/mounts.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace shed {

namespace {

namespace fs = std::filesystem;

std::vector<std::string> fields_of(const std::string& text) {
    std::vector<std::string> fields;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(':', at), text.size());
        fields.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return fields;
}

bool clean_target(const std::string& target) {
    static const char* const own[] = {"/", "/proc", "/sys", "/dev"};
    const bool rooted = target.starts_with('/') || (target.starts_with("~/") && target.size() > 2);
    return rooted && ("/" + target + "/").find("/../") == std::string::npos &&
           std::find(std::begin(own), std::end(own), target) == std::end(own);
}

// The first directory on the way, or the place itself, that is closed to pods; "" when none is.
// Root's pods are other users of this machine, and its mount is made with no more than root's own
// files; an ordinary user's are made as that user.
std::string closed_to_pods(const fs::path& path) {
    struct stat info{};
    for (fs::path way = path.parent_path(); way.has_relative_path(); way = way.parent_path()) {
        const bool known = ::stat(way.c_str(), &info) == 0;
        const mode_t enter = known && info.st_uid == ::geteuid() ? S_IXUSR : S_IXOTH;
        if (!known || (info.st_mode & enter) == 0) return way;
    }
    if (::stat(path.c_str(), &info) != 0) return path;
    const mode_t use = S_ISDIR(info.st_mode) ? S_IROTH | S_IXOTH : S_IROTH;
    if (::geteuid() == 0) return (info.st_mode & use) == use ? "" : path.string();
    return ::access(path.c_str(), R_OK) == 0 ? "" : path.string();
}

std::string closed_text(const std::string& path) {
    const std::string closed = closed_to_pods(path);
    if (closed.empty()) return "";
    return closed + " is closed to pods, which are other users of this machine; chmod " +
           (closed == path ? "o+rX " : "o+x ") + closed;
}

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
}

}  // namespace

Result<HostMount> parse_mount(const std::string& text) {
    const auto wrong = [&](const std::string& what) {
        return Error{Reason::bad_request, "--mount " + text + ": " + what};
    };
    std::vector<std::string> fields = fields_of(text);
    std::string mode = "ro";
    if (fields.size() > 1 && (fields.back() == "ro" || fields.back() == "rw")) {
        mode = fields.back();
        fields.pop_back();
    }
    if (fields.size() > 2) return wrong("it is HOST[:POD[:ro|rw]]");
    HostMount mount;
    if (!fields[0].starts_with('/')) return wrong("\"" + fields[0] + "\" is no absolute path");
    mount.target = fields.size() > 1 ? fields[1] : fields[0];
    if (!clean_target(mount.target))
        return wrong("pods cannot have it at \"" + mount.target +
                     "\"; name an absolute path, or ~/x for one in the pod's home");
    std::error_code ec;
    mount.source = fs::canonical(fields[0], ec);
    if (ec) return wrong(ec.message());
    mount.file = !fs::is_directory(mount.source, ec);
    mount.kind = mode == "rw" ? HostMount::Kind::read_write : HostMount::Kind::read_only;
    if (const std::string why = closed_text(mount.source); !why.empty()) return wrong(why);
    return mount;
}

Result<AllowedHostPath> parse_allowed_host_path(const std::string& text) {
    const auto wrong = [&](const std::string& what) {
        return Error{Reason::bad_request, "--allow-host-path " + text + ": " + what};
    };
    const bool has_mode = text.ends_with(":rw") || text.ends_with(":ro");
    const std::string path = has_mode ? text.substr(0, text.size() - 3) : text;
    if (!path.starts_with('/')) return wrong("\"" + path + "\" is no absolute path");
    std::error_code ec;
    AllowedHostPath allowed{fs::canonical(path, ec), text.ends_with(":rw")};
    if (ec) return wrong(ec.message());
    if (const std::string why = closed_text(allowed.path); !why.empty()) return wrong(why);
    return allowed;
}

Result<std::vector<AllowedHostPath>> allowed_host_paths(const std::vector<std::string>& texts) {
    std::vector<AllowedHostPath> all;
    for (const std::string& text : texts) {
        auto allowed = parse_allowed_host_path(text);
        if (!allowed) return allowed.error();
        all.push_back(std::move(*allowed));
    }
    return all;
}

std::string allowed_text(const AllowedHostPath& allowed) {
    return allowed.path + " by hostPath, " + (allowed.writable ? "writable" : "read-only");
}

std::vector<HostMount> shared_caches(const std::function<std::string(const char* variable)>& get) {
    const std::string home = get("HOME");
    const std::string base =
        get("XDG_CACHE_HOME").empty() ? home + "/.cache" : get("XDG_CACHE_HOME");
    const std::string hugging_face =
        get("HF_HOME").empty() ? base + "/huggingface" : get("HF_HOME");
    std::vector<HostMount> caches;
    const auto add = [&](const std::string& path, const char* target,
                         std::vector<std::string> left_out) {
        std::error_code ec;
        const fs::path source = fs::canonical(path, ec);
        if (ec || !fs::is_directory(source, ec) || !closed_to_pods(source).empty()) return;
        caches.push_back({source, target, HostMount::Kind::cache, false, std::move(left_out)});
    };
    // A pod has no token of its user's on a cluster either: jobs name theirs.
    add(hugging_face, "~/.cache/huggingface", {"token", "stored_tokens"});
    add(home + "/.cache/mlx.data", "~/.cache/mlx.data", {});
    return caches;
}

Result<std::vector<HostMount>> host_mounts(const std::vector<std::string>& mounts,
                                           bool share_caches) {
    std::vector<HostMount> all;
    const auto taken = [&](const HostMount& mount) {
        return std::any_of(all.begin(), all.end(),
                           [&](const HostMount& other) { return other.target == mount.target; });
    };
    for (const std::string& text : mounts) {
        auto mount = parse_mount(text);
        if (!mount) return mount.error();
        if (taken(*mount))
            return Error{Reason::bad_request,
                         "--mount " + text + ": " + mount->target + " is taken by another"};
        all.push_back(std::move(*mount));
    }
    if (!share_caches) return all;
    for (HostMount& cache : shared_caches(variable))
        if (!taken(cache)) all.push_back(std::move(cache));
    return all;
}

std::string mount_text(const HostMount& mount) {
    static constexpr const char* kinds[] = {
        "read-only", "writable", "changes stay in the pod (--no-share-caches: not at all)"};
    return mount.source + " at " + mount.target + ", " + kinds[static_cast<int>(mount.kind)];
}

}  // namespace shed
