#pragma once
// attach: what a container prints from now on, and its input or terminal when it was started with
// one. For this module's files only.
#include "fakes/kubelet/host.hpp"

namespace shed::kubelet {

struct AttachRequest {
    LogQuery log;  // pod, container and attempt
    CommandStreams wanted;
    bool terminal = false;    // the container has one
    bool input_once = false;  // its input ends with its first client
};
boost::asio::awaitable<Result<std::shared_ptr<RemoteCommand>>> attach(KubeletHost::Impl& host,
                                                                      AttachRequest request);

}  // namespace shed::kubelet
