#include "bench/pod_steps/calls.hpp"

#include "fakes/podinit/netlink.hpp"
#include "fakes/podinit/protocol.hpp"
#include "fakes/podinit/rootfs.hpp"
#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

namespace shed::bench {

using namespace podinit;

namespace {

constexpr const char* pod_address = "10.244.0.9";
constexpr char word = 'x';

void must(bool good, const std::string& what) {
    if (good) return;
    write_all(2, "pod_steps: " + failure(what) + "\n");
    ::_exit(1);
}
void must(const std::string& error) {
    if (error.empty()) return;
    write_all(2, "pod_steps: " + error + "\n");
    ::_exit(1);
}

void tell(int descriptor) { must(::write(descriptor, &word, 1) == 1, "write to a pipe"); }
void hear(int descriptor) {
    char byte = 0;
    must(::read(descriptor, &byte, 1) == 1, "read from a pipe");
}

[[noreturn]] void hold_namespaces(int up, int down) {
    must(::unshare(CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET) == 0, "make the pod's namespaces");
    tell(up);
    hear(down);
    must(::sethostname("pod", 3) == 0, "set the hostname");
    must(set_link_up("lo"));
    must(add_address("eth0", pod_address, 16));
    must(set_link_up("eth0"));
    must(add_default_route(gateway));
    tell(up);
    for (;;) ::pause();
}

int make_sandbox(int number) {
    int up[2], down[2];
    must(::pipe2(up, O_CLOEXEC) == 0 && ::pipe2(down, O_CLOEXEC) == 0, "pipe");
    const pid_t sandbox = ::fork();
    must(sandbox >= 0, "fork");
    if (sandbox == 0) hold_namespaces(up[1], down[0]);
    hear(up[0]);
    must(make_veth(("pod" + std::to_string(number)).c_str(), "eth0", sandbox, "shed0", pod_address));
    tell(down[1]);
    hear(up[0]);
    for (const int end : {up[0], up[1], down[0], down[1]}) ::close(end);
    return sandbox;
}

void join(int process, const char* kind) {
    const std::string path = "/proc/" + std::to_string(process) + "/ns/" + kind;
    const Descriptor space(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    must(space.open() && ::setns(space.get(), 0) == 0, "join " + path);
}

[[noreturn]] void run_program(const std::vector<Record>& records, const std::string& mount_point) {
    must(enter_root(records, mount_point, true, {}, -1));  // One id is mapped, as by unshare -r.
    std::vector<char*> arguments;
    for (const Record& record : records)
        if (record[0] == "arg") arguments.push_back(const_cast<char*>(record[1].c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    must(false, "exec");
    ::_exit(1);
}

void run_in(int sandbox, const std::vector<Record>& records, const std::string& mount_point) {
    const pid_t helper = ::fork();
    must(helper >= 0, "fork");
    if (helper == 0) {
        for (const char* kind : {"net", "ipc", "uts"}) join(sandbox, kind);
        must(::unshare(CLONE_NEWNS | CLONE_NEWPID) == 0, "make the container's namespaces");
        const pid_t program = ::fork();
        must(program >= 0, "fork");
        if (program == 0) run_program(records, mount_point);
        int status = 0;
        wait_for(program, &status);
        ::_exit(status == 0 ? 0 : 1);
    }
    int status = 0;
    wait_for(helper, &status);
    must(status == 0, "run the program");
}

}  // namespace

Calls::Calls(std::string mount_point) {
    must(::pipe2(to_, O_CLOEXEC) == 0 && ::pipe2(from_, O_CLOEXEC) == 0, "pipe");
    process_ = ::fork();
    must(process_ >= 0, "fork");
    if (process_ == 0) serve(mount_point);
    ::close(to_[0]);
    ::close(from_[1]);
}

Calls::~Calls() {
    ::close(to_[1]);
    ::close(from_[0]);
    int status = 0;
    wait_for(process_, &status);
}

// Requests are names of SPEC files, one line each; the answer is the time as a line.
void Calls::serve(const std::string& mount_point) {
    ::close(to_[1]);
    ::close(from_[0]);
    const int uid = static_cast<int>(::getuid()), gid = static_cast<int>(::getgid());
    must(::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) == 0, "make namespaces");
    must(write_text("/proc/self/setgroups", "deny"), "deny setgroups");
    must(write_text("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1"), "map the user");
    must(write_text("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1"), "map the group");
    must(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make mounts private");
    must(set_link_up("lo"));
    must(make_bridge("shed0"));
    must(add_address("shed0", gateway, 16));
    must(set_link_up("shed0"));
    char path[512];
    for (int number = 0;; ++number) {
        const ssize_t size = ::read(to_[0], path, sizeof path);
        if (size <= 0) ::_exit(0);
        std::vector<Record> records;
        must(read_spec(std::string(path, static_cast<std::size_t>(size)), records));
        const auto start = std::chrono::steady_clock::now();
        const int sandbox = make_sandbox(number);
        run_in(sandbox, records, mount_point);
        ::kill(sandbox, SIGKILL);
        int status = 0;
        wait_for(sandbox, &status);
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        must(write_all(from_[1], std::to_string(took.count())), "answer");
    }
}

double Calls::one_pod(const std::string& spec) {
    char text[64] = {};
    must(write_all(to_[1], spec), "ask");
    must(::read(from_[0], text, sizeof text - 1) > 0, "hear of the pod");
    return std::atof(text);
}

}  // namespace shed::bench
