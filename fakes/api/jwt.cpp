#include "fakes/api/jwt.hpp"

#include "fakes/api/internal.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr int number_bytes = 32;  // of each of a P-256 signature's two numbers, and coordinates

using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;
using Signature = std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)>;
using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;

const unsigned char* bytes_of(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string fixed_width(const BIGNUM* number) {
    std::string bytes(number_bytes, '\0');
    SHED_CHECK(BN_bn2binpad(number, bytes_of(bytes), number_bytes) == number_bytes);
    return bytes;
}

std::string coordinate(const EVP_PKEY* key, const char* name) {
    BIGNUM* found = nullptr;
    SHED_CHECK(EVP_PKEY_get_bn_param(key, name, &found) == 1);
    const Number number(found, BN_free);
    return fixed_width(number.get());
}

std::string id_of(EVP_PKEY* key) {
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    SHED_CHECK(size > 0);
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned length = 0;
    const bool done = EVP_Digest(der, static_cast<std::size_t>(size), bytes_of(digest), &length,
                                 EVP_sha256(), nullptr) == 1;
    OPENSSL_free(der);
    SHED_CHECK(done);
    digest.resize(length);
    return base64_url(digest);
}

// OpenSSL's DER sequence of two numbers as JOSE has it: both, 32 bytes each.
std::string jose_form(std::string_view der) {
    const unsigned char* at = bytes_of(der);
    const Signature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())),
                              ECDSA_SIG_free);
    SHED_CHECK(signature != nullptr);
    return fixed_width(ECDSA_SIG_get0_r(signature.get())) +
           fixed_width(ECDSA_SIG_get0_s(signature.get()));
}

std::string der_form(std::string_view jose) {
    const Signature signature(ECDSA_SIG_new(), ECDSA_SIG_free);
    ECDSA_SIG_set0(signature.get(), BN_bin2bn(bytes_of(jose), number_bytes, nullptr),
                   BN_bin2bn(bytes_of(jose.substr(number_bytes)), number_bytes, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    SHED_CHECK(size > 0);
    std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return text;
}

std::optional<Json> decoded_json(std::string_view part) {
    const auto text = from_base64_url(part);
    if (!text) return std::nullopt;
    auto value = parse_json(*text);
    if (!value || !value->is_object()) return std::nullopt;
    return std::move(*value);
}

}  // namespace

SigningKey::SigningKey() : key_(EVP_EC_gen("P-256"), EVP_PKEY_free) {
    SHED_CHECK(key_ != nullptr);
    id_ = id_of(key_.get());
}

SigningKey::~SigningKey() = default;

std::string SigningKey::sign(const Json& claims) const {
    const std::string signed_part = base64_url(dump_json({{"alg", "ES256"}, {"kid", id_}})) + "." +
                                    base64_url(dump_json(claims));
    const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::size_t size = 0;
    bool done =
        EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
        EVP_DigestSign(context.get(), nullptr, &size, bytes_of(std::string_view(signed_part)),
                       signed_part.size()) == 1;
    std::string der(size, '\0');
    done = done && EVP_DigestSign(context.get(), bytes_of(der), &size,
                                  bytes_of(std::string_view(signed_part)), signed_part.size()) == 1;
    SHED_CHECK(done);
    der.resize(size);
    return signed_part + "." + base64_url(jose_form(der));
}

std::optional<Json> SigningKey::verify(std::string_view token) const {
    const auto first = token.find('.'), last = token.rfind('.');
    if (first == std::string_view::npos || first == last) return std::nullopt;
    const auto header = decoded_json(token.substr(0, first));
    // The algorithm is this key's, whatever the token would like.
    if (!header || string_at(*header, "alg") != "ES256" || string_at(*header, "kid") != id_)
        return std::nullopt;
    const auto signature = from_base64_url(token.substr(last + 1));
    if (!signature || signature->size() != 2 * number_bytes) return std::nullopt;
    const std::string der = der_form(*signature);
    const std::string_view signed_part = token.substr(0, last);
    const Context context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const bool genuine =
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get()) == 1 &&
        EVP_DigestVerify(context.get(), bytes_of(std::string_view(der)), der.size(),
                         bytes_of(signed_part), signed_part.size()) == 1;
    if (!genuine) return std::nullopt;
    return decoded_json(token.substr(first + 1, last - first - 1));
}

Json SigningKey::public_jwk() const {
    return {{"use", "sig"},
            {"kty", "EC"},
            {"kid", id_},
            {"crv", "P-256"},
            {"alg", "ES256"},
            {"x", base64_url(coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X))},
            {"y", base64_url(coordinate(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y))}};
}

}  // namespace shed
