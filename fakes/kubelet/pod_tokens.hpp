#pragma once
// A pod's tokens, each used again until it is due for another: with 80 % of its time gone, or after
// a day (pkg/kubelet/token/token_manager.go, whose jitter of up to 10 s is left out).
#include "fakes/kubelet/kubelet.hpp"

namespace shed::kubelet {

class PodTokens {
public:
    // One that cannot be renewed stays in use and is tried again in 10 s.
    Result<std::string> get(const TokenRequest& request, const TokenFunction& issue, Time now);
    std::optional<Time> next_due() const;

private:
    struct Kept {
        std::string token;
        Time due{};
    };
    std::map<std::pair<std::string, std::int64_t>, Kept> kept_;  // by audience and seconds
};

}  // namespace shed::kubelet
