#include "fakes/podinit/container.hpp"

#include "fakes/podinit/groups.hpp"
#include "fakes/podinit/logwriter.hpp"
#include "fakes/podinit/members.hpp"
#include "fakes/podinit/privileges.hpp"
#include "fakes/podinit/rootfs.hpp"
#include "fakes/podinit/stdio.hpp"
#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace shed::podinit {

namespace {

constexpr int drain_milliseconds = 2000;  // a grandchild may hold the pipe open after the main process has gone

struct Plan {
    Command command;
    Stdio streams;  // its input, or a terminal; without one the log takes the output
    std::string log_path, exit_path, error;
};

Plan plan_of(const std::vector<Record>& records) {
    Plan plan;
    for (const Record& r : records) {
        if (!plan.error.empty()) break;
        if (is_root_record(r) || plan.streams.take(r) || plan.command.take(r, plan.error)) continue;
        if (r[0] == "log" && r.size() == 2) plan.log_path = r[1];
        else if (r[0] == "exit" && r.size() == 2) plan.exit_path = r[1];
        else plan.error = "unknown container record: " + r[0];
    }
    return plan;
}

// `CODE SIGNAL START END`, by rename, so that a reader sees all of it or nothing.
void write_exit(int folder, const std::string& name, int status, std::int64_t started) {
    const int signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const int code = WIFSIGNALED(status) ? 128 + signal_number : WEXITSTATUS(status);
    const std::string text = std::to_string(code) + " " + std::to_string(signal_number) + " " +
                             std::to_string(started) + " " + std::to_string(now_nanoseconds()) + "\n";
    const std::string draft = name + ".new";
    const Descriptor file(::openat(folder, draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.open() && write_all(file.get(), text)) ::renameat(folder, draft.c_str(), folder, name.c_str());
}

// The container's first process stays outside of its groups: what it reports and writes is not the pod's, and it must
// not be killed when the pod is out of memory.
[[noreturn]] void run_main(const Command& command, Stdio& streams, const ContainerStart& start, const int output[2],
                           int report) {
    std::string error = streams.become(command.uid, start.single);
    if (!streams.terminal()) {
        ::dup2(output[0], 1);
        ::dup2(output[1], 2);
    }
    if (error.empty()) error = join_groups(start.groups);
    if (error.empty()) error = take_on(command, start.single);
    if (!error.empty()) {
        write_all(report, error);
        ::_exit(128);
    }
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    const int code = execute(command);
    const std::string why = failure("exec " + (command.arguments.empty() ? "" : command.arguments[0]));
    write_all(2, "podinit: " + why + "\n");
    ::_exit(code);
}

// Reads one pipe into the log; false at its end.
bool pump(int pipe, int stream, LogWriter& log) {
    char buffer[32 * 1024];
    const ssize_t n = ::read(pipe, buffer, sizeof buffer);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    if (n > 0) log.take(stream, std::string_view(buffer, static_cast<std::size_t>(n)));
    return n > 0;
}

// What PID 1 of the container does until the main process has ended and its output is written.
class Supervisor {
public:
    Supervisor(pid_t main, int signals, const int pipes[2], int log, bool terminal, PidSharing pids)
        : main_(main), log_(log, terminal), pids_(pids) {
        watched_[0] = {signals, POLLIN, 0};
        watched_[1] = {pipes[0], POLLIN, 0};
        watched_[2] = {pipes[1], POLLIN, 0};
    }

    int run() {
        while (!done()) {
            if (::poll(watched_, 3, ended_ ? milliseconds_until(deadline_) : -1) < 0) continue;
            if (watched_[0].revents != 0) take_signal();
            for (int stream = 0; stream < 2; ++stream) {
                pollfd& pipe = watched_[stream + 1];
                if (pipe.fd >= 0 && pipe.revents != 0 && !pump(pipe.fd, stream, log_)) pipe.fd = -1;
            }
        }
        log_.finish();
        return status_;
    }

private:
    bool done() const {
        return ended_ && ((watched_[1].fd < 0 && watched_[2].fd < 0) || steady_milliseconds() >= deadline_);
    }

    void take_signal() {
        signalfd_siginfo info{};
        if (::read(watched_[0].fd, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return;
        if (info.ssi_signo == SIGCHLD) reap();
        else if (!ended_) ::kill(main_, static_cast<int>(info.ssi_signo));
    }

    void reap() {
        int status = 0;
        while (const pid_t child = ::waitpid(-1, &status, WNOHANG)) {
            if (child < 0) break;
            if (child != main_) continue;
            status_ = status;
            ended_ = true;
            deadline_ = steady_milliseconds() + drain_milliseconds;
            // Whatever the main process left behind ends with it; the pipes then end too.
            if (pids_ == PidSharing::none) ::kill(-1, SIGKILL);
            else kill_members(mount_namespace_of(::getpid()));
        }
    }

    pid_t main_;
    LogWriter log_;
    PidSharing pids_;
    pollfd watched_[3];
    bool ended_ = false;
    std::int64_t deadline_ = 0;
    int status_ = 0;
};

// Of what the holder had open nothing stays in a container: neither its sockets and mounts nor the owner's terminal.
void keep_only(const std::vector<int>& descriptors) {
    for (const int output : {1, 2}) ::dup2(0, output);
    close_others(3, descriptors);
}

// The container's first process: PID 1, unless it shares others' PID namespace. `report` gets an error text, or is closed when the main process was started.
[[noreturn]] void run_init(Plan& plan, const ContainerStart& start, const std::vector<int>& copies, int memory,
                           int report) {
    const auto give_up = [&](const std::string& error) {
        write_all(report, error);
        ::_exit(1);
    };
    for (const int foreign : start.inputs) ::close(foreign);
    plan.streams.forget_outer();
    // Among others it is not PID 1, but orphans of its own still come to it.
    if (start.pids != PidSharing::none) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const Descriptor log(::open(plan.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!log.open()) give_up(failure("open the log " + plan.log_path));
    const auto slash = plan.exit_path.rfind('/');
    const Descriptor folder(::open(plan.exit_path.substr(0, slash).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.open()) give_up(failure("open the folder of " + plan.exit_path));
    std::string error = enter_root(start.records, start.mount_point, start.single, copies, memory);
    if (!error.empty()) give_up(error);

    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    const int signals = ::signalfd(-1, &all, SFD_CLOEXEC);
    int out[2], err[2], started[2];
    if (signals < 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0 || ::pipe2(started, O_CLOEXEC) != 0)
        give_up(failure("pipe"));
    // Their owner may open /dev/stdout again; both ends are one inode.
    for (const int end : {out[0], err[0]})
        if (!start.single && ::fchown(end, static_cast<uid_t>(plan.command.uid), static_cast<gid_t>(-1)) != 0)
            give_up(failure("give the pipes to uid " + std::to_string(plan.command.uid)));
    const std::int64_t start_time = now_nanoseconds();
    const pid_t main = ::fork();
    if (main < 0) give_up(failure("fork"));
    if (main == 0) {
        const int output[2] = {out[1], err[1]};
        run_main(plan.command, plan.streams, start, output, started[1]);
    }
    for (const int end : {out[1], err[1], started[1]}) ::close(end);
    // Ends at the exec, or brings the reason why there was none.
    char text[512];
    const ssize_t n = ::read(started[0], text, sizeof text);
    if (n > 0) give_up(std::string(text, static_cast<std::size_t>(n)));
    const bool terminal = plan.streams.terminal();
    const int pipes[2] = {terminal ? plan.streams.terminal_again() : out[0], terminal ? -1 : err[0]};
    // Closes `report`, which tells that the main process was started.
    keep_only({log.get(), folder.get(), signals, pipes[0], pipes[1]});
    const int status = Supervisor(main, signals, pipes, log.get(), terminal, start.pids).run();
    write_exit(folder.get(), plan.exit_path.substr(slash + 1), status, start_time);
    ::_exit(0);
}

std::string join(int pid, std::initializer_list<const char*> kinds) {
    for (const char* kind : kinds) {
        const std::string path = "/proc/" + std::to_string(pid) + "/ns/" + kind;
        const Descriptor ns(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
        if (!ns.open() || ::setns(ns.get(), 0) != 0) return failure("join " + path);
    }
    return "";
}

// Forks `run` behind a helper process that has joined or made namespaces; the helper passes on the pid and goes.
template <class Prepare, class Run>
int fork_twice(Prepare prepare, Run run, std::string& error) {
    int report[2], pids[2];
    if (::pipe2(report, O_CLOEXEC) != 0 || ::pipe2(pids, O_CLOEXEC) != 0) {
        error = failure("pipe");
        return 0;
    }
    const pid_t helper = ::fork();
    if (helper == 0) {
        const std::string trouble = prepare();
        if (!trouble.empty()) {
            write_all(report[1], trouble);
            ::_exit(1);
        }
        const pid_t child = ::fork();
        if (child == 0) {
            ::close(report[0]);
            ::close(pids[0]);
            ::close(pids[1]);
            run(report[1]);
        }
        if (::write(pids[1], &child, sizeof child) < 0) ::_exit(1);
        ::_exit(0);
    }
    ::close(report[1]);
    ::close(pids[1]);
    pid_t child = 0;
    if (::read(pids[0], &child, sizeof child) != static_cast<ssize_t>(sizeof child)) child = 0;
    char text[512];
    const ssize_t n = ::read(report[0], text, sizeof text);
    ::close(report[0]);
    ::close(pids[0]);
    int status = 0;
    wait_for(helper, &status);
    if (n <= 0 && child > 0) return child;
    error = n > 0 ? std::string(text, static_cast<std::size_t>(n)) : "the container's first process died";
    if (child > 0) {
        ::kill(child, SIGKILL);
        wait_for(child, &status);
    }
    return 0;
}

std::string join_container(int container) {
    std::string trouble = join(container, {"net", "ipc", "uts", "pid", "mnt"});
    if (trouble.empty() && ::chdir("/") != 0) trouble = failure("enter /");
    return trouble;
}

// Why a program could not be started, by `code` and errno of execute(), in the words of runc.
std::string start_failure(const std::string& program, int code) {
    const std::string subject = "exec: \"" + program + "\": ";
    const bool path = program.find('/') != std::string::npos;
    if (code == 127 && path) return subject + "stat " + program + ": no such file or directory";
    if (code == 127) return subject + "executable file not found in $PATH";
    return errno == EACCES ? subject + "permission denied" : failure("exec " + program);
}

}  // namespace

int start_container(const ContainerStart& start, int& input, std::string& error) {
    input = -1;
    Plan plan = plan_of(start.records);
    error = plan.error;
    if (error.empty() && (plan.log_path.empty() || plan.exit_path.empty()))
        error = "a container needs a log and an exit record";
    if (error.empty()) error = plan.streams.open(plan.command.uid, start.single);
    if (!error.empty()) return 0;
    std::vector<int> copies;
    int memory = -1;
    const auto prepare = [&]() -> std::string {
        std::string trouble = join(start.sandbox, {"net", "ipc", "uts"});
        if (trouble.empty() && start.pids == PidSharing::pod) trouble = join(start.sandbox, {"pid_for_children"});
        if (trouble.empty()) trouble = copy_shared(start.records, start.shared, copies);
        if (trouble.empty() && start.shared_memory >= 0) trouble = copy_mount(start.shared_memory, memory);
        const int kinds = CLONE_NEWNS | (start.pids == PidSharing::none ? CLONE_NEWPID : 0);
        if (trouble.empty() && ::unshare(kinds) != 0) trouble = failure("make namespaces");
        return trouble;
    };
    const int pid = fork_twice(prepare, [&](int report) { run_init(plan, start, copies, memory, report); }, error);
    if (pid == 0) return 0;
    if (const std::vector<int> ends = plan.streams.release(); !ends.empty()) input = ends[0];
    return pid;
}

int start_exec(const std::vector<Record>& records, int container, const int descriptors[3],
               const std::vector<int>& groups, bool single, std::string& error) {
    Command command;
    for (const Record& r : records)
        if (!command.take(r, error) && error.empty()) error = "unknown exec record: " + r[0];
    if (!error.empty()) return 0;
    const auto run = [&](int report) {
        ::setsid();
        for (int i = 0; i < 3; ++i) ::dup2(descriptors[i], i);
        std::string trouble = join_groups(groups);
        if (trouble.empty()) trouble = take_on(command, single);
        if (!trouble.empty()) {
            write_all(report, trouble);
            ::_exit(128);
        }
        ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        const int code = execute(command);
        write_all(2, "podinit: " + failure("exec " + command.arguments[0]) + "\n");
        ::_exit(code);
    };
    return fork_twice([&] { return join_container(container); }, run, error);
}

int start_stream(const std::vector<Record>& records, int container, const std::vector<int>& groups, bool single,
                 std::vector<int>& ends, std::string& error) {
    Command command;
    Stdio streams;
    for (const Record& r : records)
        if (!streams.take(r) && !command.take(r, error) && error.empty()) error = "unknown exec record: " + r[0];
    if (error.empty() && command.arguments.empty()) error = "a command needs an argument";
    if (error.empty()) error = streams.open(command.uid, single);
    if (!error.empty()) return 0;
    const auto run = [&](int report) {
        std::string trouble = streams.become(command.uid, single);
        if (trouble.empty()) trouble = join_groups(groups);
        if (trouble.empty()) trouble = take_on(command, single);
        if (trouble.empty()) {
            ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
            trouble = start_failure(command.arguments[0], execute(command));
        }
        write_all(report, trouble);
        ::_exit(128);
    };
    const int pid = fork_twice([&] { return join_container(container); }, run, error);
    if (pid != 0) ends = streams.release();
    return pid;
}

int dial_loopback(int process, int port, bool ipv6, std::string& error) {
    // A socket stays in the namespace it was made in; this process only looks in.
    const Descriptor own(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
    error = own.open() ? join(process, {"net"}) : failure("open /proc/self/ns/net");
    if (!error.empty()) return -1;
    Descriptor socket(::socket(ipv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_in6 where6{};
    where6.sin6_family = AF_INET6;
    where6.sin6_port = htons(static_cast<std::uint16_t>(port));
    where6.sin6_addr = in6addr_loopback;
    sockaddr_in where4{};
    where4.sin_family = AF_INET;
    where4.sin_port = where6.sin6_port;
    where4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* name = ipv6 ? reinterpret_cast<const sockaddr*>(&where6) : reinterpret_cast<const sockaddr*>(&where4);
    const socklen_t size = ipv6 ? sizeof where6 : sizeof where4;
    if (!socket.open()) error = failure("make a socket");
    else if (::connect(socket.get(), name, size) != 0 && errno != EINPROGRESS) error = failure("connect");
    // With a foreign network this process could serve nobody; the kernel then ends the cluster with it.
    if (::setns(own.get(), CLONE_NEWNET) != 0) ::_exit(1);
    return error.empty() ? socket.release() : -1;
}

}  // namespace shed::podinit
