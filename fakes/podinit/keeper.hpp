#pragma once
// The part of podinit that stays outside the cluster's namespaces: it starts the holder and removes files at the end.

namespace shed::podinit {

// `podinit holder DIR [ALSO]`: ALSO is removed after DIR. Returns the exit status of the program.
int keep(const char* directory, const char* also);
// `podinit sweep DIR`: removes what a dead cluster left, from inside the identity map that made it.
int sweep(const char* directory);

}  // namespace shed::podinit
