#pragma once
// How many processes a container may have, where no control group says so.
#include <sys/resource.h>
#include <string>

namespace shed::podinit {

// Sets RLIMIT_NPROC. The kernel counts processes by user namespace and id (ucounts(9), Linux 5.14),
// and all pods of a cluster share a namespace and ids: without `here`, this process makes a user
// namespace of its own first, with the same ids. "" or why it failed.
std::string limit_processes(rlim_t most, bool here);

}  // namespace shed::podinit
