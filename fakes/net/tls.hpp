#pragma once
// Certificates, keys and tokens, by OpenSSL. Nothing here touches the network.
#include "fakes/base/ssh_key.hpp"
#include "fakes/base/time.hpp"

#include <string>

namespace shed {

struct TlsIdentity {
    std::string ca_pem;    // clients trust only this
    std::string cert_pem;  // of the API server, by that CA
    std::string key_pem;
};

// A fresh ECDSA P-256 CA and a server certificate for 127.0.0.1, ::1, localhost and kubernetes.default.svc's names and
// address. Valid from an hour before `now` for a year. Strict enough for Python 3.13 (AKI, SKI, critical constraints).
TlsIdentity make_tls_identity(Time now);
// 256 random bits as 43 URL-safe characters.
std::string make_token();
SshKeyPair make_ssh_key();
bool equal_constant_time(const std::string& a, const std::string& b);

}  // namespace shed
