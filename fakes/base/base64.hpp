#pragma once
// What Secrets, ConfigMaps and kubeconfigs carry as text (RFC 4648).
#include <string>
#include <string_view>

namespace shed {

std::string encode_base64(std::string_view bytes);  // padded, in one line
// Both alphabets are taken; padding, line breaks and whatever else is none of either are passed over.
std::string decode_base64(std::string_view text);

}  // namespace shed
