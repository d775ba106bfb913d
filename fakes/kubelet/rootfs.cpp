#include "fakes/kubelet/compose.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>

namespace shed::kubelet {
namespace {

namespace fs = std::filesystem;

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
bool below(const std::string& path, const std::string& directory) {
    return path.starts_with(directory + "/");
}
std::string top_of(const std::string& path) { return path.substr(1, path.find('/', 1) - 1); }

// Parts of the pod's root that come from elsewhere than its layers.
bool is_own(const std::string& top) {
    static const std::set<std::string> own = {"proc",  "sys",  "dev",  "tmp",        "run",
                                              "home",  "root", "boot", "lost+found", "mnt",
                                              "media", "srv",  "var"};
    return own.contains(top);
}

struct Builder {
    const PodPlace& place;
    const ContainerInputs& inputs;
    Identity identity;
    std::vector<Mount> mounts = {};
    ContainerPlan plan = {};
    std::set<std::string> made = {};        // directories of the skeleton
    std::set<std::string> layered = {};     // top directories that layers or the skeleton bring
    std::set<std::string> root_files = {};  // of the skeleton

    std::string name() const { return string_at(*inputs.container, "name"); }
    std::string base() const { return place.container_path(name()); }
    std::string skeleton() const { return base() + "/skeleton"; }
    std::string home() const { return base() + "/home"; }
    void file_op(SpecRecord record) { plan.files.push_back(std::move(record)); }
    void record(SpecRecord record) { plan.spec.push_back(std::move(record)); }

    void make_directories() {
        file_op({"mkdir", base(), "0755", "0", "0"});
        file_op({"mkdir", parent_of(place.log_path(name(), 0)), "0755", "0", "0"});
        file_op({"rmtree", skeleton()});
        file_op({"mkdir", skeleton(), "0755", "0", "0"});
        // A home is what the image holds: a new attempt starts with a fresh one.
        file_op({"rmtree", home()});
        file_op(
            {"mkdir", home(), "0755", std::to_string(identity.uid), std::to_string(identity.gid)});
        file_op({"file", place.message_path(name(), inputs.attempt), "0666", "0", "0", ""});
    }

    void make_parents(const std::string& root, const std::string& path, int uid, int gid) {
        for (auto slash = path.find('/', 1); slash != std::string::npos;
             slash = path.find('/', slash + 1)) {
            const std::string directory = root + path.substr(0, slash);
            if (made.insert(directory).second)
                file_op({"mkdir", directory, "0755", std::to_string(uid), std::to_string(gid)});
        }
    }

    void skeleton_file(const std::string& path, const std::string& content) {
        if (parent_of(path).empty()) root_files.insert(path);
        else layered.insert(top_of(path));
        make_parents(skeleton(), path, 0, 0);
        file_op({"file", skeleton() + path, mode_of(path), "0", "0", content});
    }

    // An image's programs are below a bin directory, or at the root: /pause.
    static std::string mode_of(const std::string& path) {
        const bool program = parent_of(path).empty() || path.find("/bin/") != std::string::npos;
        return program ? "0755" : "0644";
    }

    void home_file(const std::string& path, const std::string& content) {
        make_parents(home(), path, identity.uid, identity.gid);
        const std::string mode = path.find("/bin/") == std::string::npos ? "0644" : "0755";
        file_op({"file", home() + path, mode, std::to_string(identity.uid),
                 std::to_string(identity.gid), content});
    }

    void write_skeleton() {
        for (const auto& [path, content] : etc_files(place, identity, inputs.environment))
            skeleton_file(pod_path(path), content);
        const std::string& image_home = inputs.environment.home;
        for (const auto& [path, content] : inputs.environment.files) {
            if (image_home != "/" && below(path, image_home))
                home_file(path.substr(image_home.size()), content);
        }
        for (const std::string& path : inputs.hidden) hide(path);
        for (const Mount& mount : mounts) make_mount_point(mount);
    }

    // The skeleton lies over the host's directories, and what it says is gone is gone.
    void hide(const std::string& path) {
        layered.insert(top_of(path));
        make_parents(skeleton(), path, 0, 0);
        file_op({"whiteout", skeleton() + path});
    }

    // Under a read-only overlay a mount point must be in the skeleton; in the home it must be made
    // beforehand, owned by the user.
    void make_mount_point(const Mount& mount) {
        const std::string top = top_of(mount.target);
        const bool in_home = below(mount.target, identity.home);
        if (!in_home && is_own(top)) return;
        if (!in_home && parent_of(mount.target).empty()) return;
        const std::string root = in_home ? home() : skeleton();
        const std::string path = in_home ? mount.target.substr(identity.home.size()) : mount.target;
        const int uid = in_home ? identity.uid : 0, gid = in_home ? identity.gid : 0;
        if (!in_home) layered.insert(top);
        make_parents(root, path, uid, gid);
        if (!made.insert(root + path).second) return;
        if (mount.file)
            file_op({"file", root + path, "0644", std::to_string(uid), std::to_string(gid), ""});
        else file_op({"mkdir", root + path, "0755", std::to_string(uid), std::to_string(gid)});
    }

    void find_layered() {
        std::error_code ec;
        for (const std::string& layer : inputs.environment.layers) {
            for (const auto& entry : fs::directory_iterator(layer, ec)) {
                const std::string top = entry.path().filename().string();
                if (entry.is_directory(ec) && !entry.is_symlink(ec) && !is_own(top))
                    layered.insert(top);
            }
        }
    }

    // What a pod sees of this machine. Other directories may have the same name here as one of a volume's path.
    static bool is_of_machine(const std::string& top) {
        return top == "usr" || top == "etc" || top == "opt";
    }

    // Lower directories of one top directory, first on top: the skeleton, the environment's layers,
    // the host.
    void overlay_or_bind(const std::string& top) {
        std::error_code ec;
        SpecRecord overlay = {"overlay", "/" + top};
        if (layered.contains(top) && in_skeleton(top)) overlay.push_back(skeleton() + "/" + top);
        for (const std::string& layer : inputs.environment.layers) {
            if (fs::is_directory(layer + "/" + top, ec)) overlay.push_back(layer + "/" + top);
        }
        if (is_of_machine(top) && fs::is_directory("/" + top, ec)) overlay.push_back("/" + top);
        if (overlay.size() > 3) return record(std::move(overlay));
        if (overlay.size() == 3) record({"bind", overlay[2], "/" + top, "ro"});
    }

    bool in_skeleton(const std::string& top) const { return made.contains(skeleton() + "/" + top); }

    void build_root() {
        std::error_code ec;
        for (const char* link : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
            const fs::path path = std::string("/") + link;
            if (fs::is_symlink(path, ec))
                record({"symlink", path.string(), fs::read_symlink(path, ec).string()});
            else if (fs::is_directory(path, ec))
                record({"bind", path.string(), path.string(), "ro"});
        }
        std::set<std::string> tops = {"usr", "etc"};
        if (fs::is_directory("/opt", ec)) tops.insert("opt");
        for (const std::string& top : layered) tops.insert(top);
        for (const std::string& top : tops) overlay_or_bind(top);
        for (const std::string& path : root_files) record({"bind", skeleton() + path, path, "ro"});
        for (const char* directory :
             {"/var", "/var/lib", "/var/log", "/var/cache", "/mnt", "/media", "/srv", "/home"})
            record({"dir", directory, "0755"});
        record({"symlink", "/var/run", "/run"});
        record({"symlink", "/var/lock", "/run/lock"});
        for (const char* directory : {"/tmp", "/var/tmp"})
            record({"tmpfs", directory, "mode=1777"});
        record({"tmpfs", "/run", "mode=755"});
        for (const char* directory : {"/run/sshd", "/run/lock"}) record({"dir", directory, "0755"});
        record({"proc"});
        record({"sys"});
        record({"dev"});
        if (identity.home != "/root") record({"dir", "/root", "0700"});
    }

    SpecRecord shared_record(const Mount& mount) const {
        const std::string number = std::to_string(mount.shared);
        if (!mount.cache) {
            SpecRecord plain = {"shared", number, mount.target, mount.read_only ? "ro" : "rw"};
            plain.insert(plain.end(), mount.below.begin(), mount.below.end());
            return plain;
        }
        SpecRecord record = {"shared",
                             number,
                             "/run/trainshed/caches/" + number,
                             "cache",
                             mount.target,
                             std::to_string(identity.uid),
                             std::to_string(identity.gid)};
        record.insert(record.end(), mount.left_out.begin(), mount.left_out.end());
        return record;
    }

    static SpecRecord volume_record(const Mount& mount) {
        const char* mode = mount.read_only ? "ro" : "rw";
        if (mount.below.empty()) return {"bind", mount.source, mount.target, mode};
        SpecRecord record = {"beneath", mount.source, mount.target, mode,
                             mount.make ? "make" : "keep"};
        record.insert(record.end(), mount.below.begin(), mount.below.end());
        return record;
    }

    void mount_all() {
        record({"bind", home(), identity.home, "rw"});
        const std::string message =
            string_at(*inputs.container, "terminationMessagePath", "/dev/termination-log");
        record({"bind", place.message_path(name(), inputs.attempt), pod_path(message), "rw"});
        for (const std::string& device : inputs.devices) record({"device", device, device});
        for (const Mount& mount : mounts) {
            record(mount.shared >= 0 ? shared_record(mount) : volume_record(mount));
        }
        make_working_directory();
        if (bool_at(*inputs.container, "securityContext.readOnlyRootFilesystem"))
            record(read_only_root());
    }

    // What is mounted here belongs to the image on a real node, unless a volume covers it.
    SpecRecord read_only_root() const {
        SpecRecord record = {"readonly-root"};
        for (const std::string& path : {std::string("/tmp"), std::string("/var/tmp"),
                                        std::string("/run"), identity.home}) {
            const bool covered =
                std::any_of(mounts.begin(), mounts.end(), [&](const Mount& mount) {
                    return mount.target == path || below(path, mount.target);
                });
            if (!covered) record.push_back(path);
        }
        return record;
    }

    std::string working_directory() const {
        const std::string cwd =
            string_at(*inputs.container, "workingDir", inputs.environment.working_dir);
        return cwd.empty() ? "/" : cwd;
    }

    // As containerd does: one that the image lacks is made. What is read-only, or comes from
    // elsewhere, stays as it is.
    void make_working_directory() {
        const std::string cwd = pod_path(working_directory()), top = top_of(cwd);
        static const std::set<std::string> others = {"usr", "etc", "opt", "proc", "sys", "dev"};
        if (cwd == "/" || others.contains(top) || layered.contains(top)) return;
        if (is_own(top) && parent_of(cwd).empty()) return;
        const auto covers = [&](const std::string& path) {
            return cwd == path || below(cwd, path);
        };
        const bool covered = std::any_of(mounts.begin(), mounts.end(), [&](const Mount& mount) {
            return covers(mount.target) || below(mount.target, cwd);
        });
        if (!covered && !covers(identity.home)) record({"dir", cwd, "0755"});
    }

    std::map<std::string, std::string> process_variables() const {
        std::map<std::string, std::string> all = {
            {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}};
        for (const auto& [key, value] : inputs.environment.env) all[key] = value;
        all["HOME"] = identity.home;
        all["HOSTNAME"] = place.kernel_hostname();
        for (const auto& [key, value] : inputs.variables) all[key] = value;
        return all;
    }

    void words() {
        const std::map<std::string, std::string> known(inputs.variables.begin(),
                                                       inputs.variables.end());
        const Json& command = member(*inputs.container, "command");
        const Json& args = member(*inputs.container, "args");
        std::vector<std::string> argv;
        const auto add = [&](const Json& list) {
            for (const Json& word : list)
                argv.push_back(expand(word.is_string() ? word.get<std::string>() : "", known));
        };
        const bool has_command = command.is_array() && !command.empty(),
                   has_args = args.is_array() && !args.empty();
        if (has_command) add(command);
        else argv = inputs.environment.entrypoint;
        if (has_args) add(args);
        else if (!has_command)
            argv.insert(argv.end(), inputs.environment.command.begin(),
                        inputs.environment.command.end());
        for (std::string& word : argv) record({"arg", std::move(word)});
        for (const auto& [key, value] : process_variables()) record({"env", key + "=" + value});
        record({"cwd", working_directory()});
    }

    void credentials() {
        record({"uid", std::to_string(identity.uid)});
        record({"gid", std::to_string(identity.gid)});
        for (const int group : identity.groups) record({"group", std::to_string(group)});
        record({"log", place.log_path(name(), inputs.attempt)});
        record({"exit", place.exit_path(name(), inputs.attempt)});
        if (bool_at(*inputs.container, "tty")) record({"tty"});
        else if (bool_at(*inputs.container, "stdin")) record({"stdin"});
    }
};

bool runs_something(const Spec& spec) {
    return std::any_of(spec.begin(), spec.end(),
                       [](const SpecRecord& record) { return record.front() == "arg"; });
}

}  // namespace

Result<ContainerPlan> container_plan(const PodPlace& place, const ContainerInputs& inputs) {
    Builder builder{place, inputs, identity_of(place, *inputs.container, inputs.environment)};
    auto mounts = volume_mounts(place, *inputs.container, inputs.variables);
    if (!mounts) return mounts.error();
    builder.mounts = std::move(*mounts);
    add_host_mounts(place, builder.identity.home, builder.mounts);
    builder.make_directories();
    builder.find_layered();
    builder.write_skeleton();
    builder.words();
    builder.credentials();
    auto capabilities = capability_records(*inputs.container);
    if (!capabilities) return capabilities.error();
    for (SpecRecord& record : *capabilities) builder.record(std::move(record));
    builder.build_root();
    builder.mount_all();
    if (!runs_something(builder.plan.spec)) {
        return Error{Reason::invalid,
                     "no command specified: neither the container nor its image environment \"" +
                         inputs.environment.name + "\" names one"};
    }
    return std::move(builder.plan);
}

Spec sandbox_spec(const PodPlace& place) {
    Spec spec = {{"hostname", place.kernel_hostname()}};
    if (bool_at(place.spec(), "hostNetwork")) spec.push_back({"host-network"});
    else spec.push_back({"address", place.ip});
    if (bool_at(place.spec(), "hostIPC")) spec.push_back({"host-ipc"});
    if (bool_at(place.spec(), "hostPID")) spec.push_back({"host-pid"});
    else if (bool_at(place.spec(), "shareProcessNamespace")) spec.push_back({"share-pid"});
    for (const Json& sysctl : at_path(place.spec(), "securityContext.sysctls")) {
        spec.push_back({"sysctl", string_at(sysctl, "name"), string_at(sysctl, "value")});
    }
    return spec;
}

}  // namespace shed::kubelet
