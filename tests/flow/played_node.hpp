#pragma once
// A node whose pods follow scripts: what stands in for the kubelet in the recordings, written
// again. It writes the same statuses after the same delays and no events. Everything above it is the
// cluster's own. Goes before its cluster does.
#include "fakes/net/tasks.hpp"
#include "tests/flow/golden_case.hpp"
#include "simulator/paper/cluster.hpp"
#include "tests/flow/played_status.hpp"

namespace shed {

class PlayedNode {
public:
    PlayedNode(PaperCluster& cluster, const RecordedPods& pods, std::string name = "node-a");
    ~PlayedNode();
    const PodScripts& scripts() const { return scripts_; }

private:
    struct Pod {
        Key key;
        std::string uid;
        PodScript script;
        PlayedState state;
        bool stopping = false;
    };
    using PodPtr = std::shared_ptr<Pod>;
    using Task = boost::asio::awaitable<void>;

    void add_node();
    void changed(const StoreEvent& event);
    Task play(PodPtr pod);
    Task restart(PodPtr pod, int code);
    Task stop(PodPtr pod);
    bool wanted(const Pod& pod) const;  // still there, and not being stopped
    void write(const Pod& pod);
    void remove(const Pod& pod);

    PaperCluster& cluster_;
    std::string name_;
    PodScripts scripts_;
    Tasks tasks_;
    std::map<std::string, PodPtr> pods_;  // by uid
    int next_address_ = 1;
    Store::Subscription subscription_;
};

}  // namespace shed
