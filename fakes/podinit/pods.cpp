#include "fakes/podinit/pods.hpp"

#include "fakes/podinit/members.hpp"
#include "fakes/podinit/netlink.hpp"
#include "fakes/podinit/protocol.hpp"
#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace shed::podinit {

namespace {

struct SandboxPlan {
    std::string hostname, address;
    std::vector<std::pair<std::string, std::string>> sysctls;
    bool host_network = false, host_ipc = false;
    PidSharing pids = PidSharing::none;
};

std::string parse_sandbox(const std::string& spec, SandboxPlan& plan) {
    std::vector<Record> records;
    std::string error = read_spec(spec, records);
    for (const Record& r : records) {
        if (r[0] == "hostname" && r.size() == 2) plan.hostname = r[1];
        else if (r[0] == "address" && r.size() == 2) plan.address = r[1];
        else if (r[0] == "host-network") plan.host_network = true;
        else if (r[0] == "host-ipc") plan.host_ipc = true;
        else if (r[0] == "host-pid") plan.pids = PidSharing::cluster;
        else if (r[0] == "share-pid") plan.pids = PidSharing::pod;
        else if (r[0] == "sysctl" && r.size() == 3) plan.sysctls.emplace_back(r[1], r[2]);
        else if (error.empty()) error = "unknown sandbox record: " + r[0];
    }
    return error;
}

std::string set_up_inside(const SandboxPlan& plan) {
    if (!plan.hostname.empty() && ::sethostname(plan.hostname.data(), plan.hostname.size()) != 0)
        return failure("set the hostname");
    if (plan.host_network) return "";
    std::string error = set_link_up("lo");
    if (error.empty()) error = add_address("eth0", plan.address.c_str(), 16);
    if (error.empty()) error = set_link_up("eth0");
    if (error.empty()) error = add_default_route(gateway);
    for (const auto& [name, value] : plan.sysctls) {
        std::string path = "/proc/sys/" + name;
        for (char& c : path)
            if (c == '.') c = '/';
        if (error.empty() && !write_text(path.c_str(), value)) error = failure("set " + name);
    }
    return error;
}

// PID 1 of the namespace that a pod's containers share: reaps for them. The sandbox waits for it, so that both go together.
int start_first(std::string& error) {
    const pid_t first = ::fork();
    if (first < 0) error = failure("fork");
    if (first != 0) return first;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close_range(0, ~0U, 0);
    ::signal(SIGCHLD, SIG_IGN);
    for (;;) ::pause();
}

// The pause process: holds the namespaces until it is killed.
[[noreturn]] void be_sandbox(const SandboxPlan& plan, int to_parent, int from_parent) {
    char byte = 'x';
    const int kinds = CLONE_NEWUTS | (plan.host_ipc ? 0 : CLONE_NEWIPC) | (plan.host_network ? 0 : CLONE_NEWNET) |
                      (plan.pids == PidSharing::pod ? CLONE_NEWPID : 0);
    std::string error = ::unshare(kinds) == 0 ? "" : failure("make the pod's namespaces");
    if (error.empty() && (::write(to_parent, &byte, 1) != 1 || ::read(from_parent, &byte, 1) != 1)) ::_exit(1);
    if (error.empty()) error = set_up_inside(plan);
    const int first = error.empty() && plan.pids == PidSharing::pod ? start_first(error) : 0;
    write_all(to_parent, error.empty() ? std::string(1, 'y') : "n" + error);
    // Holds nothing of the holder's: sockets would outlive it.
    ::close_range(0, ~0U, 0);
    int status = 0;
    if (!error.empty() || (first > 0 && wait_for(first, &status) > 0)) ::_exit(1);
    for (;;) ::pause();
}

std::string read_verdict(int from_child) {
    char text[512];
    const ssize_t n = ::read(from_child, text, sizeof text);
    if (n <= 0) return "the sandbox died";
    if (text[0] == 'y') return "";
    return std::string(text + 1, static_cast<std::size_t>(n) - 1);
}

std::string exit_path_of(const std::vector<Record>& records) {
    for (const Record& r : records)
        if (r[0] == "exit" && r.size() == 2) return r[1];
    return "";
}

}  // namespace

std::string Pods::sandbox(const std::string& uid, const std::string& spec, std::string& error) {
    SandboxPlan plan;
    error = parse_sandbox(spec, plan);
    if (error.empty() && pods_.count(uid) != 0) error = "there is a sandbox for " + uid;
    int to_parent[2], to_child[2];
    if (error.empty() && (::pipe2(to_parent, O_CLOEXEC) != 0 || ::pipe2(to_child, O_CLOEXEC) != 0))
        error = failure("pipe");
    if (!error.empty()) return "";
    const pid_t child = ::fork();
    if (child == 0) be_sandbox(plan, to_parent[1], to_child[0]);
    ::close(to_parent[1]);
    ::close(to_child[0]);
    char byte = 0;
    if (child < 0) {
        error = failure("fork");
    } else if (::read(to_parent[0], &byte, 1) != 1 || byte != 'x') {
        error = "the sandbox could not make its namespaces";
    } else {
        const std::string link = "pod" + std::to_string(++links_);
        if (!plan.host_network) error = make_veth(link.c_str(), "eth0", child, "shed0", plan.address.c_str());
        if (error.empty() && ::write(to_child[1], &byte, 1) == 1) error = read_verdict(to_parent[0]);
    }
    ::close(to_parent[0]);
    ::close(to_child[1]);
    if (!error.empty()) {
        if (child > 0) ::kill(child, SIGKILL);
        return "";
    }
    Pod& pod = pods_[uid];
    pod.pid = child;
    pod.pids = plan.pids;
    error = share_memory(pod, uid);
    if (error.empty()) return std::to_string(child);
    remove(uid);
    return "";
}

// POSIX shared memory is the pod's, as its System V memory is: one /dev/shm for all containers.
std::string Pods::share_memory(Pod& pod, const std::string& uid) const {
    const std::string path = memory_ + "/" + uid;
    if (!make_directories(path, 0700)) return failure("make " + path);
    if (::mount("tmpfs", path.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0)
        return failure("mount the pod's shared memory");
    pod.memory = path;
    return "";
}

std::string Pods::container(const std::string& uid, const std::string& name, int attempt, const std::string& spec,
                            const std::vector<int>& groups, std::string& error) {
    const auto pod = pods_.find(uid);
    if (pod == pods_.end()) {
        error = "there is no sandbox for " + uid;
        return "";
    }
    if (pod->second.containers.count(name) != 0) {
        error = "container " + name + " of " + uid + " is running";
        return "";
    }
    ContainerStart start;
    error = read_spec(spec, start.records);
    if (!error.empty()) return "";
    start.mount_point = mount_point_;
    start.sandbox = pod->second.pid;
    start.single = single_;
    start.pids = pod->second.pids;
    const Descriptor memory(::open(pod->second.memory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    start.shared_memory = memory.get();
    start.shared = shared_;
    start.groups = groups;
    Container container;
    container.started = now_nanoseconds();
    container.exit_path = exit_path_of(start.records);
    container.attempt = attempt;
    for (const auto& [other_uid, other_pod] : pods_)
        for (const auto& [other_name, other] : other_pod.containers)
            if (other.input) start.inputs.push_back(other.input->get());
    int input = -1;
    container.pid = start_container(start, input, error);
    if (container.pid == 0) return "";
    if (start.pids != PidSharing::none) container.members = mount_namespace_of(container.pid);
    if (input >= 0) container.input = std::make_shared<Descriptor>(input);
    pod->second.containers[name] = container;
    return std::to_string(container.pid);
}

Pods::Container* Pods::find(const std::string& uid, const std::string& name, std::string& error) {
    const auto pod = pods_.find(uid);
    if (pod != pods_.end())
        if (const auto found = pod->second.containers.find(name); found != pod->second.containers.end())
            return &found->second;
    error = "container " + name + " of " + uid + " is not running";
    return nullptr;
}

std::string Pods::exec(const std::string& uid, const std::string& name, const std::string& id, const std::string& spec,
                       const int descriptors[3], const std::vector<int>& groups, std::string& error) {
    Container* container = find(uid, name, error);
    std::vector<Record> records;
    if (container != nullptr) error = read_spec(spec, records);
    if (!error.empty()) return "";
    const int pid = start_exec(records, container->pid, descriptors, groups, single_, error);
    if (pid == 0) return "";
    execs_[pid] = {uid, id};
    return std::to_string(pid);
}

std::string Pods::stream(const std::string& uid, const std::string& name, const std::string& id,
                         const std::string& spec, const std::vector<int>& groups, std::vector<int>& ends,
                         std::string& error) {
    Container* container = find(uid, name, error);
    std::vector<Record> records;
    if (container != nullptr) error = read_spec(spec, records);
    if (!error.empty()) return "";
    const int pid = start_stream(records, container->pid, groups, single_, ends, error);
    if (pid == 0) return "";
    execs_[pid] = {uid, id};
    return std::to_string(pid);
}

void Pods::end_exec(const std::string& uid, const std::string& id) const {
    // Not reaped yet, or it would not be known here: its id is still its own, and it leads a session.
    for (const auto& [pid, exec] : execs_)
        if (exec.uid == uid && exec.id == id) ::kill(-pid, SIGKILL);
}

int Pods::input(const std::string& uid, const std::string& name, std::string& error) {
    const Container* container = find(uid, name, error);
    if (container == nullptr) return -1;
    const int copy = container->input ? ::fcntl(container->input->get(), F_DUPFD_CLOEXEC, 0) : -1;
    if (copy < 0) error = "container " + name + " has no input, or it has ended";
    return copy;
}

void Pods::end_input(const std::string& uid, const std::string& name, std::string& error) {
    if (Container* container = find(uid, name, error); container != nullptr) container->input.reset();
}

int Pods::dial(const std::string& uid, int port, bool ipv6, std::string& error) const {
    const auto pod = pods_.find(uid);
    if (pod != pods_.end()) return dial_loopback(pod->second.pid, port, ipv6, error);
    error = "there is no sandbox for " + uid;
    return -1;
}

void Pods::signal(const std::string& uid, const std::string& name, int number, std::string& error) {
    // The container's first process passes every signal on to the main process.
    if (Container* container = find(uid, name, error); container != nullptr) ::kill(container->pid, number);
}

void Pods::stop(const std::string& uid, const std::string& name, std::int64_t grace_milliseconds, std::string& error) {
    Container* container = find(uid, name, error);
    if (container == nullptr) return;
    ::kill(container->pid, SIGTERM);
    container->kill_at = steady_milliseconds() + grace_milliseconds;
}

void Pods::kill(const Container& container) const {
    if (container.members != 0) kill_members(container.members);
    ::kill(container.pid, SIGKILL);
}

void Pods::remove(const std::string& uid, bool lost) {
    const auto found = pods_.find(uid);
    if (found == pods_.end()) return;
    const Pod pod = found->second;
    int status = 0;
    for (const auto& [name, container] : pod.containers) {
        kill(container);
        if (wait_for(container.pid, &status) == container.pid) report_exit(uid, name, container, !lost);
    }
    if (!lost) ::kill(pod.pid, SIGKILL);
    if (!lost) wait_for(pod.pid, &status);
    if (!pod.memory.empty() && ::umount2(pod.memory.c_str(), MNT_DETACH) == 0) ::rmdir(pod.memory.c_str());
    pods_.erase(uid);
}

void Pods::report_exit(const std::string& uid, const std::string& name, const Container& container, bool killed) {
    std::string text;
    if (!read_text(container.exit_path.c_str(), text)) {
        // Its first process was killed before it could write: by us when it outlasted its grace, else by someone.
        text = (killed ? "137 9 " : "255 0 ") + std::to_string(container.started) + " " +
               std::to_string(now_nanoseconds()) + "\n";
        const Descriptor file(::open(container.exit_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
        if (file.open()) write_all(file.get(), text);
    }
    const auto words = split(text, ' ');
    tell_("event exited " + uid + " " + name + " " + std::to_string(container.attempt) + " " +
          (words.size() > 1 ? words[0] + " " + words[1] : "255 0"));
}

void Pods::reaped(int pid, int status) {
    if (const auto exec = execs_.find(pid); exec != execs_.end()) {
        const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
        const int code = number != 0 ? 128 + number : WEXITSTATUS(status);
        tell_("event exec " + exec->second.uid + " " + exec->second.id + " " + std::to_string(code) + " " +
              std::to_string(number));
        execs_.erase(exec);
        return;
    }
    for (auto& [uid, pod] : pods_) {
        if (pod.pid == pid) {
            // Told first: what ends with it has not ended by itself.
            const std::string dead = uid;
            tell_("event sandbox " + dead);
            remove(dead, true);
            return;
        }
        for (auto& [name, container] : pod.containers) {
            if (container.pid != pid) continue;
            const Container ended = container;
            const std::string container_name = name, pod_uid = uid;
            pod.containers.erase(container_name);
            if (ended.members != 0) kill_members(ended.members);
            report_exit(pod_uid, container_name, ended, WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
            return;
        }
    }
}

void Pods::stop_all() {
    for (auto& [uid, pod] : pods_)
        for (auto& [name, container] : pod.containers) ::kill(container.pid, SIGTERM);
}

bool Pods::any_container() const {
    for (const auto& [uid, pod] : pods_)
        if (!pod.containers.empty()) return true;
    return false;
}

std::optional<std::int64_t> Pods::next_deadline() const {
    std::optional<std::int64_t> next;
    for (const auto& [uid, pod] : pods_)
        for (const auto& [name, container] : pod.containers)
            if (container.kill_at != 0 && (!next || container.kill_at < *next)) next = container.kill_at;
    return next;
}

void Pods::kill_overdue() {
    const std::int64_t now = steady_milliseconds();
    for (auto& [uid, pod] : pods_)
        for (auto& [name, container] : pod.containers)
            if (container.kill_at != 0 && container.kill_at <= now) kill(container);
}

}  // namespace shed::podinit
