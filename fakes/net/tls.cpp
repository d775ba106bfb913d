#include "fakes/net/tls.hpp"

#include "fakes/base/base64.hpp"
#include "fakes/base/result.hpp"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/encoder.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <memory>
#include <vector>

namespace shed {

namespace {

template <auto free_function>
struct Free {
    template <class T>
    void operator()(T* pointer) const {
        free_function(pointer);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;

// The library failing on its own data (no entropy, no memory) is not a case to go on from.
template <class T>
T require(T value) {
    SHED_CHECK(static_cast<bool>(value));
    return value;
}

Key make_key(const char* curve) { return Key(require(EVP_EC_gen(curve))); }

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return std::string(data, static_cast<std::size_t>(size));
}

std::string pem_of(X509* certificate) {
    const Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio.get(), certificate));
    return text_of(bio.get());
}

std::string pem_of(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
    return text_of(bio.get());
}

void add_extension(X509* certificate, X509* issuer, int id, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = require(X509V3_EXT_conf_nid(nullptr, &context, id, value));
    require(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

Certificate begin_certificate(EVP_PKEY* key, const char* name, Time now) {
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    unsigned char serial[16];
    require(RAND_bytes(serial, sizeof serial));
    serial[0] &= 0x7f;
    BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate.get()));
    BN_free(number);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    ASN1_TIME_set(X509_getm_notBefore(certificate.get()), seconds - 3600);
    ASN1_TIME_set(X509_getm_notAfter(certificate.get()), seconds + 365L * 24 * 3600);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    return certificate;
}

void append_ssh(std::string& out, std::string_view field) {
    const auto size = static_cast<std::uint32_t>(field.size());
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift & 0xff));
    out.append(field);
}

}  // namespace

TlsIdentity make_tls_identity(Time now) {
    const Key ca_key = make_key("P-256"), key = make_key("P-256");
    const Certificate ca = begin_certificate(ca_key.get(), "trainshed-ca", now);
    X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get()));
    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign,digitalSignature");
    add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    add_extension(ca.get(), ca.get(), NID_authority_key_identifier, "keyid:always");
    require(X509_sign(ca.get(), ca_key.get(), EVP_sha256()));

    const Certificate leaf = begin_certificate(key.get(), "trainshed-apiserver", now);
    X509_set_issuer_name(leaf.get(), X509_get_subject_name(ca.get()));
    add_extension(leaf.get(), ca.get(), NID_basic_constraints, "critical,CA:FALSE");
    add_extension(leaf.get(), ca.get(), NID_key_usage, "critical,digitalSignature");
    add_extension(leaf.get(), ca.get(), NID_ext_key_usage, "serverAuth");
    add_extension(leaf.get(), ca.get(), NID_subject_key_identifier, "hash");
    add_extension(leaf.get(), ca.get(), NID_authority_key_identifier, "keyid:always");
    add_extension(leaf.get(), ca.get(), NID_subject_alt_name,
                  "IP:127.0.0.1,IP:::1,IP:10.96.0.1,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,"
                  "DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local");
    require(X509_sign(leaf.get(), ca_key.get(), EVP_sha256()));
    return {pem_of(ca.get()), pem_of(leaf.get()), pem_of(key.get())};
}

std::string make_token() {
    std::string bytes(32, '\0');
    require(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())));
    std::string text = encode_base64(bytes);
    for (char& c : text) {
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    while (text.back() == '=') text.pop_back();
    return text;
}

SshKeyPair make_ssh_key() {
    const Key key = make_key("P-521");
    OSSL_ENCODER_CTX* encoder =
        require(OSSL_ENCODER_CTX_new_for_pkey(key.get(), EVP_PKEY_KEYPAIR, "PEM", "type-specific", nullptr));
    unsigned char* pem = nullptr;
    std::size_t pem_size = 0;
    require(OSSL_ENCODER_to_data(encoder, &pem, &pem_size));
    OSSL_ENCODER_CTX_free(encoder);
    SshKeyPair pair;
    pair.private_pem.assign(reinterpret_cast<char*>(pem), pem_size);
    OPENSSL_free(pem);

    std::size_t point_size = 0;
    EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY, nullptr, 0, &point_size);
    std::string point(point_size, '\0');
    require(EVP_PKEY_get_octet_string_param(key.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                            reinterpret_cast<unsigned char*>(point.data()), point_size, nullptr));
    std::string blob;  // RFC 5656 3.1
    append_ssh(blob, "ecdsa-sha2-nistp521");
    append_ssh(blob, "nistp521");
    append_ssh(blob, point);
    pair.public_line = "ecdsa-sha2-nistp521 " + encode_base64(blob) + "\n";
    return pair;
}

bool equal_constant_time(const std::string& a, const std::string& b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace shed
