#pragma once
// exec, attach and port-forward, by the kubelets of this process.
#include "fakes/apiserver/apiserver.hpp"
#include "fakes/kubelet/kubelet.hpp"

namespace shed {

class NodeStreams final : public PodStreams {
public:
    Result<StartCommand> exec(const Object& pod, const std::string& container,
                              const std::vector<std::string>& command,
                              CommandStreams wanted) override;
    Result<StartCommand> attach(const Object& pod, const std::string& container,
                                CommandStreams wanted) override;
    DialPod dial(const Object& pod) override;
    // The kubelets come later than the API server.
    void ask(KubeletHost& host) { host_ = &host; }

private:
    KubeletHost* host_ = nullptr;
};

}  // namespace shed
