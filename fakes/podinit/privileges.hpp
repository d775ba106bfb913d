#pragma once
// What a process of a pod may do: its ids, limits, capabilities, and no more of them ever.
#include "fakes/podinit/spec.hpp"

#include <sys/resource.h>

namespace shed::podinit {

// How to run one program inside a pod: parsed from arg, env, cwd, uid, gid, group, rlimit,
// processes, keep-cap, drop-cap.
struct Command {
    std::vector<std::string> arguments, environment;
    std::string directory = "/";
    long uid = 0, gid = 0;
    std::vector<unsigned> groups;
    std::vector<int> kept_capabilities, dropped_capabilities;
    std::vector<std::pair<int, rlimit>> limits;
    rlim_t processes = 0;  // at most so many at a time; 0: as many as there can be
    // True when `record` was one of these words; `error` is set when its value is bad.
    bool take(const Record& record, std::string& error);
};

// Takes the ids on and gives everything else up. Call last before execute(). "" or why it failed.
std::string take_on(const Command& command, bool single);
// Replaces this process; returns only on failure, with the exit code a shell would give (126 or 127).
int execute(const Command& command);

}  // namespace shed::podinit
