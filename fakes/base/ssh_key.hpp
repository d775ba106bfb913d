#pragma once
// The key pair of a TrainJob's pods: ECDSA P-521, as Trainer's MPI plugin makes it.
#include <string>

namespace shed {

struct SshKeyPair {
    std::string private_pem;  // SEC 1, "EC PRIVATE KEY", one trailing newline
    std::string public_line;  // "ecdsa-sha2-nistp521 AAAA...\n"
};

}  // namespace shed
