#include "fakes/podinit/container.hpp"

#include "fakes/podinit/groups.hpp"
#include "fakes/podinit/logwriter.hpp"
#include "fakes/podinit/privileges.hpp"
#include "fakes/podinit/rootfs.hpp"
#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
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
    std::string log_path, exit_path, error;
};

Plan plan_of(const std::vector<Record>& records) {
    Plan plan;
    for (const Record& r : records) {
        if (!plan.error.empty()) break;
        if (is_root_record(r) || plan.command.take(r, plan.error)) continue;
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
[[noreturn]] void run_main(const Command& command, const ContainerStart& start, const int output[2], int report) {
    ::setsid();
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(null, 0);
    ::dup2(output[0], 1);
    ::dup2(output[1], 2);
    std::string error = join_groups(start.groups);
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
    Supervisor(pid_t main, int signals, const int pipes[2], int log) : main_(main), log_(log) {
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
            ::kill(-1, SIGKILL);
        }
    }

    pid_t main_;
    LogWriter log_;
    pollfd watched_[3];
    bool ended_ = false;
    std::int64_t deadline_ = 0;
    int status_ = 0;
};

// PID 1 of the container. `report` gets an error text, or is closed when the main process was started.
[[noreturn]] void run_init(const Plan& plan, const ContainerStart& start, const std::vector<int>& copies, int report) {
    const auto give_up = [&](const std::string& error) {
        write_all(report, error);
        ::_exit(1);
    };
    const Descriptor log(::open(plan.log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!log.open()) give_up(failure("open the log " + plan.log_path));
    const auto slash = plan.exit_path.rfind('/');
    const Descriptor folder(::open(plan.exit_path.substr(0, slash).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.open()) give_up(failure("open the folder of " + plan.exit_path));
    std::string error = enter_root(start.records, start.mount_point, start.single, copies);
    if (!error.empty()) give_up(error);

    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    const int signals = ::signalfd(-1, &all, SFD_CLOEXEC);
    int out[2], err[2], started[2];
    if (signals < 0 || ::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0 || ::pipe2(started, O_CLOEXEC) != 0)
        give_up(failure("pipe"));
    const std::int64_t start_time = now_nanoseconds();
    const pid_t main = ::fork();
    if (main < 0) give_up(failure("fork"));
    if (main == 0) {
        const int output[2] = {out[1], err[1]};
        run_main(plan.command, start, output, started[1]);
    }
    for (const int end : {out[1], err[1], started[1]}) ::close(end);
    for (const int group : start.groups) ::close(group);
    // Ends at the exec, or brings the reason why there was none.
    char text[512];
    const ssize_t n = ::read(started[0], text, sizeof text);
    if (n > 0) give_up(std::string(text, static_cast<std::size_t>(n)));
    ::close(started[0]);
    ::close(report);
    const int pipes[2] = {out[0], err[0]};
    const int status = Supervisor(main, signals, pipes, log.get()).run();
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

}  // namespace

int start_container(const ContainerStart& start, std::string& error) {
    const Plan plan = plan_of(start.records);
    error = plan.error;
    if (error.empty() && (plan.log_path.empty() || plan.exit_path.empty()))
        error = "a container needs a log and an exit record";
    if (!error.empty()) return 0;
    std::vector<int> copies;
    const auto prepare = [&]() -> std::string {
        std::string trouble = join(start.sandbox, {"net", "ipc", "uts"});
        if (trouble.empty()) trouble = copy_shared(start.records, start.shared, copies);
        if (trouble.empty() && ::unshare(CLONE_NEWNS | CLONE_NEWPID) != 0) trouble = failure("make namespaces");
        return trouble;
    };
    return fork_twice(prepare, [&](int report) { run_init(plan, start, copies, report); }, error);
}

int start_exec(const std::vector<Record>& records, int container, const int descriptors[3],
               const std::vector<int>& groups, bool single, std::string& error) {
    Command command;
    for (const Record& r : records)
        if (!command.take(r, error) && error.empty()) error = "unknown exec record: " + r[0];
    if (!error.empty()) return 0;
    const auto prepare = [&]() -> std::string {
        std::string trouble = join(container, {"net", "ipc", "uts", "pid", "mnt"});
        if (trouble.empty() && ::chdir("/") != 0) trouble = failure("enter /");
        return trouble;
    };
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
    return fork_twice(prepare, run, error);
}

}  // namespace shed::podinit
