#include "simulator/doctor.hpp"

#include "fakes/cgroup/cgroup.hpp"
#include "fakes/gpu/gpu.hpp"
#include "fakes/images/images.hpp"
#include "simulator/limits.hpp"
#include "simulator/paths.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace fs = std::filesystem;

namespace shed {

namespace {

using Verdict = Finding::Verdict;

std::string find_program(const std::string& name) {
    for (const char* folder : {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}) {
        const std::string path = std::string(folder) + "/" + name;
        if (::access(path.c_str(), X_OK) == 0) return path;
    }
    return "";
}

// Runs `attempt` in a child; the errno it exits with, 0 for success.
template <class Attempt>
int try_in_child(Attempt attempt) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(attempt());
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) < 0) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

int try_namespaces(int flags) {
    return try_in_child([flags] { return ::unshare(flags) == 0 ? 0 : errno; });
}

bool in_chroot() {
    std::error_code ec;
    const fs::path root = fs::read_symlink("/proc/1/root", ec);
    return !ec && root != "/";
}

std::string namespaces_hint(int error) {
    if (first_line("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1")
        return "AppArmor forbids them to unconfined programs: install share/apparmor/trainshed with "
               "sudo (tools/quickstart does), or: sudo sysctl "
               "kernel.apparmor_restrict_unprivileged_userns=0";
    if (first_line("/proc/sys/kernel/unprivileged_userns_clone") == "0")
        return "sudo sysctl kernel.unprivileged_userns_clone=1";
    if (first_line("/proc/sys/user/max_user_namespaces") == "0")
        return "sudo sysctl user.max_user_namespaces=15000";
    if (error == EPERM && in_chroot())
        return "a process in a plain chroot cannot make user namespaces: enter the root file system "
               "by pivot_root instead";
    return "run on the host, or in a container that is allowed to (for example docker run "
           "--security-opt seccomp=unconfined --security-opt apparmor=unconfined)";
}

Finding user_namespaces() {
    if (const int error = try_namespaces(CLONE_NEWUSER); error != 0)
        return {"user-namespaces", Verdict::fail, std::string("refused: ") + std::strerror(error),
                namespaces_hint(error)};
    const int error = try_namespaces(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID |
                                     CLONE_NEWUTS | CLONE_NEWIPC);
    if (error != 0)
        return {"user-namespaces", Verdict::fail,
                std::string("network, mount or PID namespaces refused: ") + std::strerror(error),
                namespaces_hint(error)};
    return {"user-namespaces", Verdict::ok, "user, network, mount, PID, UTS and IPC namespaces", ""};
}

bool has_entry(const std::string& file, const std::string& user) {
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        if (line.starts_with(user + ":")) return true;
    return false;
}

Finding identity_map() {
    if (::geteuid() == 0)
        return {"identity-map", Verdict::ok, "root: pods get 65,536 ids of their own", ""};
    const passwd* entry = ::getpwuid(::geteuid());
    const std::string user = entry == nullptr ? std::to_string(::geteuid()) : entry->pw_name;
    const bool listed = has_entry("/etc/subuid", user) && has_entry("/etc/subgid", user);
    if (listed && !find_program("newuidmap").empty())
        return {"identity-map", Verdict::ok, "newuidmap and an /etc/subuid range for " + user, ""};
    return {"identity-map", Verdict::warn,
            listed ? "no newuidmap: pods have one uid" : "no /etc/subuid entry for " + user +
                                                             ": pods have one uid",
            "sudo apt-get install uidmap; sudo usermod --add-subuids 100000-165535 --add-subgids "
            "100000-165535 " + user};
}

Finding program(const std::string& id, const std::string& name, Verdict missing,
                const std::string& package) {
    const std::string path = find_program(name);
    if (!path.empty()) return {id, Verdict::ok, path, ""};
    return {id, missing, name + " is not installed", "sudo apt-get install " + package};
}

Finding cgroups() {
    const std::string layout = detect_cgroups().layout;
    if (layout == "none") return {"cgroup", Verdict::warn, "no control groups are mounted", ""};
    if (layout == "hybrid") return {"cgroup", Verdict::ok, "versions 1 and 2 side by side", ""};
    return {"cgroup", Verdict::ok, layout == "v2" ? "version 2" : "version 1", ""};
}

Finding gpu() {
    const GpuDriver driver = find_gpus(gpu_source());
    if (driver.gpus.empty())
        return {"gpu", Verdict::warn, driver.problem + ": GPUs are counted, not there in the pod", ""};
    std::string text = "driver " + driver.version;
    for (const Gpu& gpu : driver.gpus)
        text += "; " + gpu.name + ", " + std::to_string(gpu.memory_bytes >> 20) + " MiB, " + gpu.uuid;
    return {"gpu", Verdict::ok, text, ""};
}

Finding environment(const std::string& name) {
    const std::string root = default_environments_dir() + "/" + name;
    std::error_code ec;
    if (fs::exists(root, ec)) return {"environment-" + name, Verdict::ok, root, ""};
    return {"environment-" + name, Verdict::warn, "not built", "trainshed image build " + name};
}

Finding holder() {
    const std::string path = beside_us("podinit");
    if (::access(path.c_str(), X_OK) == 0) return {"podinit", Verdict::ok, path, ""};
    return {"podinit", Verdict::fail, path + " is missing",
            "keep podinit beside trainshed; cmake --build --preset release makes both"};
}

}  // namespace

std::vector<Finding> examine_machine() {
    std::vector<Finding> findings;
    findings.push_back(holder());
    findings.push_back(user_namespaces());
    findings.push_back(identity_map());
    findings.push_back(program("sshd", "sshd", Verdict::fail, "openssh-server"));
    findings.push_back(program("ssh", "ssh", Verdict::fail, "openssh-client"));
    findings.push_back(program("mpirun", "mpirun", Verdict::fail, "openmpi-bin libopenmpi-dev"));
    findings.push_back(program("python3", "python3", Verdict::fail, "python3 python3-pip python3-venv"));
    findings.push_back(environment("mlx"));
    findings.push_back(cgroups());
    for (Finding& finding : examine_limits()) findings.push_back(std::move(finding));
    findings.push_back(gpu());
    for (const std::string& name : cluster_names()) {
        const auto paths = paths_of(name);
        if (!paths || !has_state(*paths) || OwnerLock::held_by_other(*paths)) continue;
        findings.push_back({"state", Verdict::ok, "cluster " + name + " is not running and has state in " + paths->store,
                            "go on with it: trainshed up -d --name " + name + "; remove it: trainshed down --name " + name});
    }
    return findings;
}

nlohmann::json to_json(const std::vector<Finding>& findings) {
    static constexpr const char* words[] = {"ok", "warn", "fail"};
    nlohmann::json list = nlohmann::json::array();
    for (const Finding& f : findings)
        list.push_back({{"id", f.id},
                        {"verdict", words[static_cast<int>(f.verdict)]},
                        {"found", f.found},
                        {"hint", f.hint}});
    return list;
}

}  // namespace shed
