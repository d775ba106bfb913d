#pragma once
// The part of podinit that stays outside the cluster's namespaces: it starts the holder and removes files at the end.
#include <string>
#include <vector>

namespace shed::podinit {

// `podinit holder DIR [ALSO [SHARED...]]`: ALSO, unless empty, is removed after DIR; pods can be shown what is SHARED.
// Returns the exit status of the program.
int keep(const char* directory, const std::string& also, const std::vector<std::string>& shared);
// `podinit sweep DIR`: removes what a dead cluster left, from inside the identity map that made it.
int sweep(const char* directory);

}  // namespace shed::podinit
