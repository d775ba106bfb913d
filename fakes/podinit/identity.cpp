#include "fakes/podinit/identity.hpp"

#include "fakes/podinit/numbers.hpp"
#include "fakes/podinit/protocol.hpp"
#include "fakes/podinit/util.hpp"

#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace shed::podinit {

namespace {

constexpr long ids_max = 65'536;

bool find_range(const char* file, const std::string& user, long& base, long& count) {
    std::string text;
    return read_text(file, text) && parse_range(text, user, std::to_string(::geteuid()), base, count);
}

bool has_newuidmap() {
    return ::access("/usr/bin/newuidmap", X_OK) == 0 && ::access("/usr/bin/newgidmap", X_OK) == 0;
}

std::string run_map_tool(const char* tool, int pid, long own, long base, long count) {
    const std::string words[] = {std::to_string(pid), "0",  std::to_string(own), "1", "1",
                                 std::to_string(base), std::to_string(count)};
    const pid_t child = ::fork();
    if (child == 0) {
        ::execl(tool, tool, words[0].c_str(), words[1].c_str(), words[2].c_str(), words[3].c_str(),
                words[4].c_str(), words[5].c_str(), words[6].c_str(), nullptr);
        ::_exit(127);
    }
    int status = 0;
    if (child < 0 || wait_for(child, &status) < 0) return failure(tool);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return std::string(tool) + " refused the id map";
    return "";
}

std::string write_map(int pid, const char* file, const std::string& text) {
    const std::string path = "/proc/" + std::to_string(pid) + "/" + file;
    return write_text(path.c_str(), text) ? "" : failure("write " + path);
}

}  // namespace

bool parse_range(const std::string& text, const std::string& user, const std::string& number, long& base,
                 long& count) {
    for (const std::string& line : split(text, '\n')) {
        const auto fields = split(line, ':');
        std::string bad;
        if (fields.size() != 3 || (fields[0] != user && fields[0] != number)) continue;
        if (!take_number("base", fields[1], id_max, base, bad) || !take_number("count", fields[2], id_max, count, bad))
            continue;
        if (base > 0 && count > single_id) return true;
    }
    return false;
}

std::string Identity::words() const {
    static constexpr const char* names[] = {"root", "range", "single"};
    return std::string("map=") + names[static_cast<int>(map)] + " base=" + std::to_string(uid_base);
}

Identity find_identity() {
    Identity identity;
    if (::geteuid() == 0) {
        identity.map = Identity::Map::root;
        identity.uid_base = identity.gid_base = range_base;
        identity.count = ids_max;
        return identity;
    }
    const passwd* entry = ::getpwuid(::geteuid());
    const std::string user = entry == nullptr ? "" : entry->pw_name;
    long uid_count = 0, gid_count = 0;
    if (has_newuidmap() && find_range("/etc/subuid", user, identity.uid_base, uid_count) &&
        find_range("/etc/subgid", user, identity.gid_base, gid_count)) {
        identity.map = Identity::Map::range;
        identity.count = uid_count < gid_count ? uid_count : gid_count;
        if (identity.count > ids_max - 1) identity.count = ids_max - 1;
        return identity;
    }
    identity.uid_base = ::geteuid();
    identity.gid_base = ::getegid();
    return identity;
}

std::string write_maps(const Identity& identity, int pid) {
    if (identity.map == Identity::Map::root) {
        const std::string tail = " " + std::to_string(identity.count);
        std::string error = write_map(pid, "uid_map", "0 " + std::to_string(identity.uid_base) + tail);
        if (!error.empty()) return error;
        return write_map(pid, "gid_map", "0 " + std::to_string(identity.gid_base) + tail);
    }
    if (identity.map == Identity::Map::range) {
        std::string error =
            run_map_tool("/usr/bin/newuidmap", pid, ::geteuid(), identity.uid_base, identity.count);
        if (!error.empty()) return error;
        return run_map_tool("/usr/bin/newgidmap", pid, ::getegid(), identity.gid_base, identity.count);
    }
    const std::string inner = std::to_string(single_id) + " ";
    std::string error = write_map(pid, "setgroups", "deny");
    if (error.empty()) error = write_map(pid, "uid_map", inner + std::to_string(::geteuid()) + " 1");
    if (error.empty()) error = write_map(pid, "gid_map", inner + std::to_string(::getegid()) + " 1");
    return error;
}

std::string become_inner_root(const Identity& identity) {
    if (identity.map == Identity::Map::single) return "";
    if (::setgroups(0, nullptr) != 0) return failure("setgroups");
    if (::setresgid(0, 0, 0) != 0) return failure("setresgid");
    if (::setresuid(0, 0, 0) != 0) return failure("setresuid");
    // Changing ids makes a process undumpable, which hides its own /proc files from it.
    ::prctl(PR_SET_DUMPABLE, 1);
    return "";
}

int run_inside(const Identity& identity, int (*act)(const char*), const char* argument) {
    int to_child[2], to_parent[2];
    if (::pipe(to_child) != 0 || ::pipe(to_parent) != 0) return -1;
    const pid_t child = ::fork();
    if (child == 0) {
        char byte = 'x';
        if (::unshare(CLONE_NEWUSER) != 0 || ::write(to_parent[1], &byte, 1) != 1 ||
            ::read(to_child[0], &byte, 1) != 1 || byte != 'y' || !become_inner_root(identity).empty())
            ::_exit(120);
        ::_exit(act(argument));
    }
    ::close(to_parent[1]);
    char byte = 0;
    if (::read(to_parent[0], &byte, 1) == 1) {
        byte = write_maps(identity, child).empty() ? 'y' : 'n';
        if (::write(to_child[1], &byte, 1) != 1) byte = 'n';
    }
    for (const int end : {to_child[0], to_child[1], to_parent[0]}) ::close(end);
    int status = 0;
    wait_for(child, &status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace shed::podinit
