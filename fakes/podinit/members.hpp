#pragma once
// Who belongs to a container that shares its PID namespace with others. There the kernel does not end everything with the
// container's first process; but all of it is in the container's mount namespace, whoever its parents are.
#include <sys/types.h>

namespace shed::podinit {

// 0 when there is no such process, or it has ended.
ino_t mount_namespace_of(pid_t process);
// SIGKILL to every process in that mount namespace but this one; returns when none is left, or after a second.
void kill_members(ino_t mount_namespace);

}  // namespace shed::podinit
