#pragma once
// The logs of pods, from the files their kubelets' node directory holds.
#include "fakes/apiserver/apiserver.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace shed {

class NodeLogs final : public PodLogs {
public:
    NodeLogs(boost::asio::any_io_executor executor, std::string directory)
        : executor_(std::move(executor)), directory_(std::move(directory)) {}
    std::unique_ptr<Stream> open(const Query& query) override;

private:
    boost::asio::any_io_executor executor_;
    std::string directory_;
};

}  // namespace shed
