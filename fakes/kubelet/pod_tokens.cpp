#include "fakes/kubelet/pod_tokens.hpp"

#include <algorithm>

namespace shed::kubelet {

namespace {

constexpr Duration life_max = std::chrono::hours(24), try_again = std::chrono::seconds(10);

}  // namespace

Result<std::string> PodTokens::get(const TokenRequest& request, const TokenFunction& issue,
                                   Time now) {
    const std::pair<std::string, std::int64_t> key{request.audience, request.expiration_seconds};
    const auto kept = kept_.find(key);
    if (kept != kept_.end() && now < kept->second.due) return kept->second.token;
    auto issued = issue ? issue(request) : Result<std::string>(std::string());
    if (!issued && kept == kept_.end()) return issued.error();
    if (!issued) {
        kept->second.due = now + try_again;
        return kept->second.token;
    }
    const Duration life = std::chrono::milliseconds(request.expiration_seconds * 800);
    kept_[key] = {*issued, now + std::min(life, life_max)};
    return issued;
}

std::optional<Time> PodTokens::next_due() const {
    std::optional<Time> first;
    for (const auto& [key, kept] : kept_)
        if (!first || kept.due < *first) first = kept.due;
    return first;
}

}  // namespace shed::kubelet
