#include "fakes/podinit/process_limit.hpp"

#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdlib>

namespace shed::podinit {

namespace {

// A map that leaves every id of ours as it is: its lines are ours, with the inner id on both sides.
std::string unchanged_map(const char* own_map) {
    std::string text, lines;
    read_text(own_map, text);
    for (const std::string& line : split(text, '\n'))
        if (const auto words = split(line, ' '); words.size() == 3)
            lines += words[0] + " " + words[0] + " " + words[2] + "\n";
    return lines;
}

// More than one id can be mapped only from outside of the new namespace: by a child that stays.
[[noreturn]] void write_maps(int made, int result) {
    const std::string target = "/proc/" + std::to_string(::getppid());
    const std::string uids = unchanged_map("/proc/self/uid_map"),
                      gids = unchanged_map("/proc/self/gid_map");
    char byte = 0;
    if (::read(made, &byte, 1) != 1) ::_exit(1);
    std::string error;
    if (!write_text((target + "/uid_map").c_str(), uids)) error = failure("map uids");
    else if (!write_text((target + "/gid_map").c_str(), gids)) error = failure("map gids");
    write_all(result, error.empty() ? "y" : "n" + error);
    ::_exit(0);
}

std::string make_same_namespace() {
    int made[2], result[2];
    if (::pipe2(made, O_CLOEXEC) != 0 || ::pipe2(result, O_CLOEXEC) != 0) return failure("pipe");
    const pid_t helper = ::fork();
    if (helper == 0) {
        ::close(made[1]);
        write_maps(made[0], result[1]);
    }
    ::close(result[1]);
    std::string error = ::unshare(CLONE_NEWUSER) == 0 ? "" : failure("make a user namespace");
    char text[512] = "n";
    ssize_t n = 0;
    if (error.empty() && ::write(made[1], "x", 1) == 1) n = ::read(result[0], text, sizeof text);
    for (const int end : {made[0], made[1], result[0]}) ::close(end);
    int status = 0;
    wait_for(helper, &status);
    if (!error.empty() || (n > 0 && text[0] == 'y')) return error;
    return "the new user namespace has no ids: " +
           std::string(text + 1, n > 1 ? static_cast<std::size_t>(n) - 1 : 0);
}

}  // namespace

std::string limit_processes(rlim_t most, bool here) {
    const std::string error = here ? "" : make_same_namespace();
    if (!error.empty()) return error;
    rlimit limit{};
    ::getrlimit(RLIMIT_NPROC, &limit);
    if (most < limit.rlim_max) limit.rlim_cur = limit.rlim_max = most;
    return ::setrlimit(RLIMIT_NPROC, &limit) == 0 ? "" : failure("limit processes");
}

}  // namespace shed::podinit
