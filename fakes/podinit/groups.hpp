#pragma once
// Control groups, of which podinit only knows descriptors and paths that it is given: trainshed
// makes them and sets their limits.
#include <string>
#include <vector>

namespace shed::podinit {

// This process goes into the groups whose cgroup.procs these are, and its children with it. "" or
// why it could not.
std::string join_groups(const std::vector<int>& procs);
// Removes the groups whose directories `file` names, one a line, with those in them. Nobody may be
// left in them; the kernel may still be letting go of who was, and is given a moment.
void remove_groups(const std::string& file);

}  // namespace shed::podinit
