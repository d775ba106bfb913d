#pragma once
// What running pods refer to, kept in sight while they do: one watch for each object, however many
// pods refer to it, and none for what no pod does (as kubelet's watch-based managers).
#include "fakes/client/client.hpp"
#include "fakes/net/tasks.hpp"

#include <map>
#include <set>

namespace shed::kubelet {

class WatchedObjects {
public:
    WatchedObjects(Client& client, Clock& clock, boost::asio::any_io_executor executor)
        : client_(client), clock_(clock), executor_(std::move(executor)) {}
    ~WatchedObjects();

    // Called with each state of the object that is seen, the first one too; nullptr: it has gone.
    using Seen = std::function<void(const Key& key, const ObjectPtr& object)>;
    // Replaces what this pod watched before.
    void watch(const std::string& pod_uid, const std::set<Key>& keys, const Seen& seen);
    void forget(const std::string& pod_uid);
    void clear();  // forgets all
    std::size_t size() const { return watched_.size(); }

private:
    struct Watched;
    static boost::asio::awaitable<void> follow(std::weak_ptr<Watched> watched, Client& client,
                                               Clock& clock, Key key);

    Client& client_;
    Clock& clock_;
    boost::asio::any_io_executor executor_;
    std::map<Key, std::shared_ptr<Watched>> watched_;  // each with the task that follows it
};

}  // namespace shed::kubelet
