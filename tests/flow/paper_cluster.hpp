#pragma once
// The whole control plane and one node, with containers of paper and time that moves only when
// nothing is left to do: recorded cases are replayed in milliseconds and always alike.
#include "fakes/api/api.hpp"
#include "fakes/kubelet/kubelet.hpp"
#include "fakes/manager/manager.hpp"
#include "fakes/net/tasks.hpp"
#include "fakes/store/store.hpp"

#include <boost/asio/io_context.hpp>

namespace shed {

class PaperCluster {
public:
    // What the main container of the pod does; asked at each start.
    using Behaviour = std::function<PaperRuntime::Behaviour(const Object& pod, int attempt)>;

    explicit PaperCluster(Behaviour behaviour, NodeCapacity capacity = big_node());
    ~PaperCluster();

    static NodeCapacity big_node();
    Result<ObjectPtr> create(Json object);
    Result<ObjectPtr> remove(const Key& key, Json options = nullptr);
    void settle();  // until nothing is left to do now
    // Lets time pass, from one deadline to the next; true as soon as `done` holds.
    bool run_until(const std::function<bool()>& done, Duration limit);
    void run_for(Duration time);
    ObjectPtr find(std::string_view api_version, std::string_view kind, const std::string& ns,
                   const std::string& name) const;

    struct Change {
        StoreEvent::Type type;
        ObjectPtr object;
    };
    const std::vector<Change>& history() const { return history_; }
    Store& store() { return store_; }
    Api& api() { return api_; }
    ManualClock& clock() { return clock_; }

private:
    boost::asio::io_context io_{1};
    Store store_;
    Rng rng_{1};
    Api api_;
    ManualClock clock_;
    std::unique_ptr<Client> client_, kubelet_client_;
    PaperRuntime runtime_;
    std::string directory_;
    Tasks tasks_;
    std::vector<Change> history_;
    Store::Subscription subscription_;
    std::unique_ptr<Manager> manager_;
    std::unique_ptr<KubeletHost> host_;
    std::unique_ptr<Kubelet> kubelet_;
};

}  // namespace shed
