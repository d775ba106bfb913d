#pragma once
// Signed tokens: JWS compact form (RFC 7515) with ES256 (RFC 7518 3.4), as kube-apiserver signs
// those of service accounts when it is given an EC key.
#include "fakes/kube/kube.hpp"

#include <memory>

struct evp_pkey_st;

namespace shed {

// A P-256 key of one cluster. Its id is what kube-apiserver derives: SHA-256 of the public key's
// SubjectPublicKeyInfo, in base64url.
class SigningKey {
public:
    SigningKey();  // a new one
    ~SigningKey();

    std::string sign(const Json& claims) const;
    // The claims of a token that this key signed; nullopt for anything else.
    std::optional<Json> verify(std::string_view token) const;
    Json public_jwk() const;  // RFC 7517, with `use`, `kid` and `alg`

private:
    std::unique_ptr<evp_pkey_st, void (*)(evp_pkey_st*)> key_;
    std::string id_;
};

}  // namespace shed
