#pragma once
// The identity map of the cluster's user namespace: which ids of this machine the pods' ids are.
#include <string>

namespace shed::podinit {

struct Identity {
    enum class Map { root, range, single };
    Map map = Map::single;
    long uid_base = 0, gid_base = 0;  // outer id of inner 0 (root) or of inner 1 (range)
    long count = 1;                   // ids beyond the first
    std::string words() const;        // "map=root base=1000000000"
};

inline constexpr int single_id = 1000;  // the only inner id of a single map: the MLX image's user

Identity find_identity();
// The first range of `user` (by name or number) in the text of /etc/subuid or /etc/subgid that holds single_id ids.
bool parse_range(const std::string& text, const std::string& user, const std::string& number, long& base, long& count);
// Writes the maps of `pid`, which has just made its user namespace. Empty, or why it failed.
std::string write_maps(const Identity& identity, int pid);
// Inside: become inner root (or the single id) with all capabilities of the namespace. Empty, or why it failed.
std::string become_inner_root(const Identity& identity);
// Forks a child in a fresh user namespace with this map, in which it calls `act`; its result, or -1.
int run_inside(const Identity& identity, int (*act)(const char*), const char* argument);

}  // namespace shed::podinit
