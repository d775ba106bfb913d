#pragma once
// The whole control plane on paper, with time that moves only when nothing is left to do: recorded
// cases are replayed in milliseconds and always alike, and `render` shows what a manifest becomes.
// Nodes are added to it: node.hpp has the real kubelet on containers of paper.
#include "fakes/api/api.hpp"
#include "fakes/manager/manager.hpp"
#include "fakes/net/clock.hpp"
#include "fakes/store/store.hpp"

#include <boost/asio/io_context.hpp>

namespace shed {

class PaperCluster {
public:
    struct Options {
        bool faithful_timing = false;  // the delays of the real controllers, too
    };
    explicit PaperCluster(Options options);
    PaperCluster() : PaperCluster(Options{}) {}
    ~PaperCluster();

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
        Time at{};
    };
    const std::vector<Change>& history() const { return history_; }
    Store& store() { return store_; }
    const Store& store() const { return store_; }
    Api& api() { return api_; }
    ManualClock& clock() { return clock_; }
    boost::asio::any_io_executor executor() { return io_.get_executor(); }

private:
    Result<ObjectPtr> install(Json object);

    boost::asio::io_context io_{1};
    Store store_;
    Rng rng_{1};
    Api api_;
    ManualClock clock_;
    std::unique_ptr<Client> client_;
    std::vector<Change> history_;
    Store::Subscription subscription_;
    std::unique_ptr<Manager> manager_;
};

}  // namespace shed
