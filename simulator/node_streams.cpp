#include "simulator/node_streams.hpp"

namespace shed {

namespace {

Error not_yet() { return {Reason::unavailable, "the nodes are not there yet"}; }

}  // namespace

Result<StartCommand> NodeStreams::exec(const Object& pod, const std::string& container,
                                       const std::vector<std::string>& command,
                                       CommandStreams wanted) {
    return host_ ? host_->exec(pod.uid(), container, command, wanted) : not_yet();
}

Result<StartCommand> NodeStreams::attach(const Object& pod, const std::string& container,
                                         CommandStreams wanted) {
    return host_ ? host_->attach(pod, container, wanted) : not_yet();
}

DialPod NodeStreams::dial(const Object& pod) {
    if (host_) return host_->dial(pod.uid());
    return [](int) -> boost::asio::awaitable<Result<PodSocket>> { co_return not_yet(); };
}

}  // namespace shed
