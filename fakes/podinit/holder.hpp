#pragma once
// PID 1 of the cluster's PID namespace: owns the network, the name server and every pod.
#include "fakes/podinit/identity.hpp"

namespace shed::podinit {

// Runs until the lifeline ends or `quit` is asked for; the program's exit status.
int hold(const Identity& identity, const char* directory);

}  // namespace shed::podinit
