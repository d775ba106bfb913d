#include "simulator/node_logs.hpp"

#include "fakes/kubelet/kubelet.hpp"

#include <nlohmann/json.hpp>

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

std::vector<ObjectPtr> NodeLogs::gone_pods(const std::string& ns) {
    return gone_ ? gone_(ns) : std::vector<ObjectPtr>();
}

Json NodeLogs::attempts(const Object& pod) {
    Json list = Json::array();
    for (const Attempt& attempt : attempts_of(directory_, pod.uid())) {
        Json row = {{"container", attempt.container},
                    {"attempt", attempt.number},
                    {"ended", attempt.ended}};
        if (attempt.ended) {
            row["exitCode"] = attempt.code;
            row["signal"] = attempt.signal;
            row["startedAt"] = format_micro_time(clock_.from_wall(attempt.started));
            row["finishedAt"] = format_micro_time(clock_.from_wall(attempt.finished));
        }
        list.push_back(std::move(row));
    }
    return list;
}

}  // namespace shed
