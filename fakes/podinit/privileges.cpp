#include "fakes/podinit/privileges.hpp"

#include "fakes/podinit/identity.hpp"
#include "fakes/podinit/numbers.hpp"
#include "fakes/podinit/process_limit.hpp"
#include "fakes/podinit/util.hpp"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace shed::podinit {

namespace {

// What container runtimes leave to root in a container.
constexpr int default_capabilities[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FOWNER,     CAP_FSETID,
                                        CAP_KILL,   CAP_SETGID,       CAP_SETUID,     CAP_SETPCAP,
                                        CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SYS_CHROOT,
                                        CAP_MKNOD,  CAP_AUDIT_WRITE,  CAP_SETFCAP};

struct LimitName {
    std::string_view name;
    int resource;
};
constexpr LimitName limit_names[] = {{"nofile", RLIMIT_NOFILE}, {"nproc", RLIMIT_NPROC},
                                     {"core", RLIMIT_CORE},     {"memlock", RLIMIT_MEMLOCK},
                                     {"stack", RLIMIT_STACK},   {"as", RLIMIT_AS}};

void take_limit(const Record& record, Command& command, std::string& error) {
    rlimit limit{};
    if (record.size() != 4) error = "an rlimit record has a name, a soft and a hard limit";
    else if (take_number("rlimit", record[2], ULONG_MAX, limit.rlim_cur, error))
        take_number("rlimit", record[3], ULONG_MAX, limit.rlim_max, error);
    if (!error.empty()) return;
    for (const LimitName& known : limit_names) {
        if (record[1] != known.name) continue;
        command.limits.emplace_back(known.resource, limit);
        return;
    }
    error = "bad rlimit: no limit is called \"" + record[1] + "\"";
}

std::string set_capabilities(std::uint64_t mask) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[2] = {};
    for (int half = 0; half < 2; ++half)
        data[half].effective = data[half].permitted = static_cast<std::uint32_t>(mask >> (32 * half));
    return ::syscall(SYS_capset, &header, data) == 0 ? "" : failure("set capabilities");
}

// A single map has one id; any other id a pod asks for is that one under another name.
std::string rename_single_id(const Command& command) {
    const bool same = command.uid == single_id && command.gid == single_id;
    if (same && command.processes == 0) return "";
    if (::unshare(CLONE_NEWUSER) != 0) return failure("make the pod's user namespace");
    const std::string own = " " + std::to_string(single_id) + " 1";
    if (!write_text("/proc/self/setgroups", "deny")) return failure("deny setgroups");
    if (!write_text("/proc/self/uid_map", std::to_string(command.uid) + own)) return failure("map the uid");
    if (!write_text("/proc/self/gid_map", std::to_string(command.gid) + own)) return failure("map the gid");
    return "";
}

std::string take_ids(const Command& command) {
    if (::setgroups(command.groups.size(), command.groups.data()) != 0) return failure("set groups");
    const auto gid = static_cast<gid_t>(command.gid);
    const auto uid = static_cast<uid_t>(command.uid);
    if (::setresgid(gid, gid, gid) != 0) return failure("set gid " + std::to_string(gid));
    if (::setresuid(uid, uid, uid) != 0) return failure("set uid " + std::to_string(uid));
    return "";
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> result;
    for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));
    result.push_back(nullptr);
    return result;
}

std::string value_of(const std::vector<std::string>& environment, std::string_view name) {
    for (const std::string& entry : environment)
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
            return entry.substr(name.size() + 1);
    return "";
}

}  // namespace

bool Command::take(const Record& record, std::string& error) {
    const std::string& word = record[0];
    const std::string value = record.size() > 1 ? record[1] : "";
    if (word == "arg") arguments.push_back(value);
    else if (word == "env") environment.push_back(value);
    else if (word == "cwd") directory = value;
    else if (word == "uid") take_number(word, value, id_max, uid, error);
    else if (word == "gid") take_number(word, value, id_max, gid, error);
    else if (word == "group") take_number(word, value, id_max, groups.emplace_back(), error);
    else if (word == "keep-cap") take_number(word, value, CAP_LAST_CAP, kept_capabilities.emplace_back(), error);
    else if (word == "drop-cap") take_number(word, value, CAP_LAST_CAP, dropped_capabilities.emplace_back(), error);
    else if (word == "rlimit") take_limit(record, *this, error);
    else if (word == "processes") take_number(word, value, INT_MAX, processes, error);
    else return false;
    return true;
}

// A rank that waits for another yields its core; whoever else is on the machine then has it for a whole slice, 1.4 to
// 4 ms, many times what an all-reduce takes. Whoever asks for short slices gets the core back sooner (sched(7) of
// Linux 6.12; earlier kernels take no notice). Children inherit it.
void take_short_turns() {
    constexpr std::uint64_t slice_ns = 100'000;  // the least that the kernel grants
    // The kernel's struct sched_attr, first version; its header and glibc's <sched.h> exclude each other.
    struct {
        std::uint32_t size, policy;
        std::uint64_t flags;
        std::int32_t nice;
        std::uint32_t priority;
        std::uint64_t runtime_ns, deadline_ns, period_ns;
    } attributes{};
    attributes.size = sizeof attributes;
    attributes.policy = SCHED_OTHER;
    attributes.nice = ::getpriority(PRIO_PROCESS, 0);
    attributes.runtime_ns = slice_ns;
    ::syscall(SYS_sched_setattr, 0, &attributes, 0);
}

std::string take_on(const Command& command, bool single) {
    take_short_turns();
    for (const auto& [resource, limit] : command.limits)
        if (::setrlimit(static_cast<__rlimit_resource_t>(resource), &limit) != 0) return failure("set a limit");
    std::string error = single ? rename_single_id(command) : "";
    const bool privileged = !single && (command.uid == 0 || !command.kept_capabilities.empty());
    if (error.empty() && command.processes != 0 && !privileged) error = limit_processes(command.processes, single);
    if (!error.empty()) return error;
    std::uint64_t mask = 0;
    for (const int capability : default_capabilities) mask |= 1ULL << capability;
    for (const int capability : command.dropped_capabilities) mask &= ~(1ULL << capability);
    for (const int capability : command.kept_capabilities) mask |= 1ULL << capability;
    for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
        if ((mask >> capability & 1) == 0) ::prctl(PR_CAPBSET_DROP, capability);
    if (!single) error = take_ids(command);
    if (!error.empty()) return error;
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failure("set no_new_privs");
    // After the ids: giving up root has dropped everything already; root keeps its list, others could not use theirs.
    error = command.uid == 0 ? set_capabilities(mask) : set_capabilities(0);
    if (!error.empty()) return error;
    if (::chdir(command.directory.c_str()) != 0) return failure("enter " + command.directory);
    return "";
}

int execute(const Command& command) {
    // Signals as a fresh program expects them.
    for (int number = 1; number < 32; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (command.arguments.empty()) return 127;
    const std::vector<char*> arguments = pointers(command.arguments), environment = pointers(command.environment);
    const std::string& program = command.arguments[0];
    if (program.find('/') != std::string::npos) {
        ::execve(program.c_str(), arguments.data(), environment.data());
        return errno == ENOENT ? 127 : 126;
    }
    std::string path = value_of(command.environment, "PATH");
    if (path.empty()) path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    int reason = ENOENT;
    for (const std::string& folder : split(path, ':')) {
        ::execve((folder + "/" + program).c_str(), arguments.data(), environment.data());
        if (errno != ENOENT && errno != ENOTDIR) reason = errno;
    }
    errno = reason;
    return reason == ENOENT ? 127 : 126;
}

}  // namespace shed::podinit
