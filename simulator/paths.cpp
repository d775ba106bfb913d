#include "simulator/paths.hpp"

#include "fakes/podinit/protocol.hpp"
#include "simulator/commands.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

namespace fs = std::filesystem;

namespace shed {

namespace {

std::string from_environment(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

Error environment_error(const std::string& what, const std::string& path) {
    return {Reason::environment, what + " " + path + ": " + std::strerror(errno)};
}

bool is_label(const std::string& name) {
    if (name.empty() || name.size() > 40) return false;
    const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
    return std::all_of(name.begin(), name.end(), fits) && name.front() != '-' && name.back() != '-';
}

fs::path own_directory() {
    std::error_code ec;
    return fs::read_symlink("/proc/self/exe", ec).parent_path();
}

constexpr unsigned root_mode = 0710, user_mode = 0700;  // of a cluster's directory

Error not_ours(const std::string& path, const std::string& kind) {
    return {Reason::environment, path + " is not a " + kind + " owned by uid " + std::to_string(::geteuid()) +
                                     "; move it away"};
}

// A directory of ours must be ours: a name another user made first is refused, not used. Nobody else may write there,
// nor go beyond `mode`, whatever it was made with.
Result<void> make_private(const std::string& path, unsigned mode, int follow) {
    int descriptor = -1;
    do {  // again, when it is swept between the two
        if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return environment_error("cannot make", path);
        descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow);
    } while (descriptor < 0 && errno == ENOENT);
    if (descriptor < 0 && (errno == ENOTDIR || errno == ELOOP || errno == EACCES)) return not_ours(path, "directory");
    if (descriptor < 0) return environment_error("cannot open", path);
    struct stat info {};
    const bool looked = ::fstat(descriptor, &info) == 0;
    const bool ours = looked && info.st_uid == ::geteuid();
    // As root the pods' root is another user, who passes through as the group.
    const bool passable = !ours || mode != root_mode ||
                          ::fchown(descriptor, 0, static_cast<gid_t>(podinit::range_base)) == 0;
    const bool closed = !ours || (info.st_mode & 0777) == mode || ::fchmod(descriptor, mode) == 0;
    ::close(descriptor);
    if (!ours) return not_ours(path, "directory");
    if (!passable || !closed) return environment_error("cannot close to others", path);
    return {};
}

// A link at `path` counts when we made it: somebody may keep such a directory on a larger disk.
bool is_foreign_link(const std::string& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode) && info.st_uid != ::geteuid();
}

// The cluster's directory and the two above, which are ours, too.
Result<void> make_directories(const ClusterPaths& paths) {
    const fs::path clusters = clusters_directory(), top = clusters.parent_path();
    std::error_code ec;
    fs::create_directories(top.parent_path(), ec);
    for (const std::string& path : {top.string(), clusters.string()}) {
        if (is_foreign_link(path)) return not_ours(path, "directory");
        if (auto made = make_private(path, 0755, 0); !made) return made;
    }
    return make_private(paths.directory, ::geteuid() == 0 ? root_mode : user_mode, O_NOFOLLOW);
}

// A file of ours, in a directory of ours. What else is at its path is neither waited for nor written to.
Result<int> open_own(const std::string& path, int flags) {
    const int descriptor = ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    if (descriptor < 0 && errno == ENOENT) return Error{Reason::not_found, "there is no " + path};
    if (descriptor < 0 && errno != ELOOP && errno != EISDIR && errno != ENXIO)
        return environment_error("cannot open", path);
    struct stat info {};
    if (descriptor >= 0 && ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) && info.st_uid == ::geteuid())
        return descriptor;
    if (descriptor >= 0) ::close(descriptor);
    return not_ours(path, "file");
}

}  // namespace

std::string clusters_directory() {
    if (::geteuid() == 0) return "/var/lib/trainshed/clusters";
    std::string base = from_environment("XDG_STATE_HOME");
    if (base.empty()) base = from_environment("HOME") + "/.local/state";
    return base + "/trainshed/clusters";
}

Result<ClusterPaths> paths_of(const std::string& name) {
    if (!is_label(name))
        return Error{Reason::bad_request, "cluster name \"" + name +
                                              "\" must be 1 to 40 of a-z, 0-9 and '-', and not begin "
                                              "or end with '-'"};
    ClusterPaths p;
    p.name = name;
    p.directory = clusters_directory() + "/" + name;
    p.cluster_file = p.directory + "/cluster.json";
    p.kubeconfig = p.directory + "/kubeconfig";
    p.lock = p.directory + "/owner.lock";
    p.log = p.directory + "/log";
    p.node = p.directory + "/node";
    p.store = p.directory + "/store.db";
    p.ending = p.directory + "/ending";
    return p;
}

namespace {

// A lock counts only while its file is still the one at that path: a sweep may have removed it
// between open and flock.
bool still_there(int descriptor, const std::string& path) {
    struct stat held = {}, named = {};
    return ::fstat(descriptor, &held) == 0 && ::stat(path.c_str(), &named) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

bool owner_lives(const ClusterPaths& paths) {
    return !read_cluster(paths) || OwnerProcess::find(paths);
}

Error already_running(const ClusterPaths& paths) {
    std::string message = "cluster \"" + paths.name + "\" is already running";
    if (const auto cluster = read_cluster(paths))
        message += " (pid " + std::to_string(cluster->value("pid", 0)) + ")";
    return {Reason::conflict, message + "; use --name for another one, or trainshed down --name " +
                                  paths.name};
}

}  // namespace

Result<OwnerLock> OwnerLock::take(const ClusterPaths& paths) {
    constexpr auto patience = std::chrono::seconds(10);
    const auto limit = std::chrono::steady_clock::now() + patience;
    for (;;) {
        if (auto made = make_directories(paths); !made) return made.error();
        const auto opened = open_own(paths.lock, O_RDWR | O_CREAT);
        if (!opened && opened.error().reason == Reason::not_found) continue;  // swept meanwhile
        if (!opened) return opened.error();
        OwnerLock lock(*opened);
        if (::flock(*opened, LOCK_EX | LOCK_NB) == 0) {
            if (still_there(*opened, paths.lock)) return lock;
            continue;
        }
        // A dead owner's pods are being ended: that takes a moment.
        if (owner_lives(paths) || std::chrono::steady_clock::now() > limit)
            return already_running(paths);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

OwnerLock OwnerLock::inherited(int descriptor) {
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
    return OwnerLock(descriptor);
}

bool OwnerLock::held_by_other(const ClusterPaths& paths) {
    const int descriptor = ::open(paths.lock.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return false;
    const bool held = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0;
    ::close(descriptor);
    return held;
}

OwnerLock::OwnerLock(OwnerLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

OwnerLock& OwnerLock::operator=(OwnerLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
}

OwnerLock::~OwnerLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

Result<int> open_log(const ClusterPaths& paths) {
    if (::unlink(paths.log.c_str()) != 0 && errno != ENOENT) return environment_error("cannot replace", paths.log);
    return open_own(paths.log, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
}

Result<nlohmann::json> read_cluster(const ClusterPaths& paths) {
    const auto opened = open_own(paths.cluster_file, O_RDONLY);
    if (!opened && opened.error().reason != Reason::not_found) return opened.error();
    const Result<std::string> text = opened ? read_file("/proc/self/fd/" + std::to_string(*opened)) : opened.error();
    if (opened) ::close(*opened);
    if (!text)
        return Error{Reason::not_found, "cluster \"" + paths.name +
                                            "\" is not running; start it with: trainshed up" +
                                            (paths.name == "trainshed" ? "" : " --name " + paths.name)};
    nlohmann::json cluster = nlohmann::json::parse(*text, nullptr, false);
    if (!cluster.is_object())
        return Error{Reason::environment, paths.cluster_file + " is damaged"};
    return cluster;
}

Result<void> write_file(const std::string& path, const std::string& content, unsigned mode) {
    const std::string draft = path + ".new";
    ::unlink(draft.c_str());
    const int descriptor =
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (descriptor < 0) return environment_error("cannot write", draft);
    std::size_t done = 0;
    while (done < content.size()) {
        const ssize_t n = ::write(descriptor, content.data() + done, content.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        done += static_cast<std::size_t>(n);
    }
    const bool whole = done == content.size();
    if (::close(descriptor) != 0 || !whole) return environment_error("cannot write", draft);
    if (::rename(draft.c_str(), path.c_str()) != 0) return environment_error("cannot rename to", path);
    return {};
}

Result<std::string> read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) return environment_error("cannot read", path);
    std::ostringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

std::string first_line(const std::string& path) {
    std::ifstream in(path);
    std::string line;
    std::getline(in, line);
    return line;
}

Result<ClusterPaths> own_paths(const std::string& name, const std::string& prefix) {
    return paths_of(name == CommonOptions().name ? prefix + "-" + std::to_string(::getpid()) : name);
}

std::vector<std::string> cluster_names() {
    std::vector<std::string> names;
    std::error_code ec;
    for (const auto& entry : fs::directory_iterator(clusters_directory(), ec))
        if (entry.is_directory(ec) && !entry.is_symlink(ec)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

namespace {

void run_podinit(const std::string& podinit, const char* command, const std::string& path) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl(podinit.c_str(), "podinit", command, path.c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
}

}  // namespace

void remove_node(const ClusterPaths& paths, const std::string& podinit) {
    const std::string groups = paths.directory + "/" + podinit::groups_file;
    std::error_code ec;
    if (::access(groups.c_str(), F_OK) == 0) run_podinit(podinit, "sweep-groups", groups);
    fs::remove(groups, ec);
    fs::remove_all(paths.node, ec);
    // Files of mapped ids are not ours to remove: podinit does it from inside the identity map.
    if (ec) run_podinit(podinit, "sweep", paths.node);
}

namespace {

bool remove_stale(const ClusterPaths& paths, const std::string& podinit, bool with_state) {
    // Held while removing, so that nobody starts in a directory that is going.
    const int descriptor = ::open(paths.lock.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) return ::rmdir(paths.directory.c_str()) == 0;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
        remove_node(paths, podinit);
        std::error_code ec;
        if (with_state || !has_state(paths)) fs::remove_all(paths.directory, ec);
    }
    ::close(descriptor);
    return ::access(paths.directory.c_str(), F_OK) != 0;
}

}  // namespace

std::vector<std::string> sweep_stale(const std::string& podinit) {
    std::vector<std::string> swept;
    for (const std::string& name : cluster_names())
        if (const auto paths = paths_of(name); paths && remove_stale(*paths, podinit, false))
            swept.push_back(name);
    return swept;
}

bool has_state(const ClusterPaths& paths) { return ::access(paths.store.c_str(), F_OK) == 0; }

bool remove_state(const ClusterPaths& paths, const std::string& podinit) {
    return remove_stale(paths, podinit, true);
}

std::string beside_us(const std::string& program) {
    const fs::path own = own_directory();
    for (const fs::path& candidate : {own / program, own / "../libexec/trainshed" / program})
        if (std::error_code ec; fs::exists(candidate, ec)) return fs::weakly_canonical(candidate, ec).string();
    return (own / program).string();
}

std::string shared_file(const std::string& name) {
    const fs::path installed = own_directory() / "../share/trainshed" / name;
    std::error_code ec;
    if (fs::exists(installed, ec)) return fs::weakly_canonical(installed, ec).string();
    return std::string(SHED_SOURCE_SHARE) + "/" + name;
}

}  // namespace shed
