#pragma once
// What pods use, as the kubelets of this process measure it.
#include "fakes/apiserver/apiserver.hpp"

namespace shed {

class KubeletHost;

class NodeUsage final : public PodMetrics {
public:
    std::vector<Pod> usage() override;
    // The kubelets come later than the API server: until then nothing is known.
    void ask(KubeletHost& host) { host_ = &host; }

private:
    KubeletHost* host_ = nullptr;
};

}  // namespace shed
