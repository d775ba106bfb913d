#pragma once
// What a request asks its connection to become, and refusals before that. For this module only.
#include "fakes/streams/streams.hpp"

#include <span>

namespace shed::streams {

// The first offered protocol that is among `known`; nullopt when there is none. No offer is the
// protocol "".
std::optional<std::string> choose_protocol(const std::vector<std::string>& offered,
                                           std::span<const std::string_view> known);
HttpResponse upgrade_required();  // 400, as the API server answers what is no upgrade
// 403, as a kubelet answers protocols it does not speak.
HttpResponse no_common_protocol(const std::vector<std::string>& offered,
                                std::span<const std::string_view> known);
HttpResponse refusal_text(
    const Error& error);  // as a kubelet refuses: a status code and plain words
HttpResponse switch_to_spdy(const std::string& protocol);  // the head of a 101

}  // namespace shed::streams
