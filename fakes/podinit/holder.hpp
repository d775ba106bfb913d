#pragma once
// PID 1 of the cluster's PID namespace: owns the network, the name server and every pod.
#include "fakes/podinit/identity.hpp"

#include <vector>

namespace shed::podinit {

// Runs until the lifeline ends or `quit` is asked for; the program's exit status. `shared`: descriptors, the least first.
int hold(const Identity& identity, const char* directory, const std::vector<int>& shared);

}  // namespace shed::podinit
