#include "simulator/node_logs.hpp"

#include "fakes/kubelet/kubelet.hpp"

namespace shed {

namespace {

class NodeStream final : public PodLogs::Stream {
public:
    NodeStream(boost::asio::any_io_executor executor, const std::string& directory, LogQuery query)
        : reader_(std::move(executor), directory, std::move(query)) {}
    boost::asio::awaitable<Result<std::string>> read() override { return reader_.read(); }

private:
    LogReader reader_;
};

}  // namespace

std::unique_ptr<PodLogs::Stream> NodeLogs::open(const Query& query) {
    LogQuery wanted;
    wanted.pod_uid = query.pod->uid();
    wanted.container = query.container;
    wanted.attempt = query.attempt;
    wanted.follow = query.follow;
    wanted.timestamps = query.timestamps;
    wanted.tail_lines = query.tail_lines;
    wanted.limit_bytes = query.limit_bytes;
    wanted.since = query.since;
    return std::make_unique<NodeStream>(executor_, directory_, std::move(wanted));
}

}  // namespace shed
