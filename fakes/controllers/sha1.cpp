#include "fakes/controllers/sha1.hpp"

#include <openssl/evp.h>

namespace shed::controllers {

std::string sha1_hex(const std::string& text) {
    static constexpr char digits[] = "0123456789abcdef";
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text.data(), text.size(), hash, &size, EVP_sha1(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) {
        hex.push_back(digits[hash[i] >> 4]);
        hex.push_back(digits[hash[i] & 15]);
    }
    return hex;
}

}  // namespace shed::controllers
