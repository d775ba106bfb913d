#pragma once
// The logs of pods, from the files their kubelets' node directory holds.
#include "fakes/apiserver/apiserver.hpp"

#include <boost/asio/any_io_executor.hpp>

namespace shed {

class NodeLogs final : public PodLogs {
public:
    NodeLogs(boost::asio::any_io_executor executor, const Clock& clock, std::string directory)
        : executor_(std::move(executor)), clock_(clock), directory_(std::move(directory)) {}
    std::unique_ptr<Stream> open(const Query& query) override;
    std::vector<ObjectPtr> gone_pods(const std::string& ns) override;
    Json attempts(const Object& pod) override;
    // Who knows of the pods that are gone: the kubelets, which come later than their logs.
    void ask(std::function<std::vector<ObjectPtr>(const std::string& ns)> gone) { gone_ = std::move(gone); }

private:
    boost::asio::any_io_executor executor_;
    const Clock& clock_;
    std::string directory_;
    std::function<std::vector<ObjectPtr>(const std::string&)> gone_;
};

}  // namespace shed
