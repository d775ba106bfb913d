#include "fakes/kubelet/watched_objects.hpp"

#include "fakes/client/informer.hpp"

namespace shed::kubelet {

namespace asio = boost::asio;

struct WatchedObjects::Watched {
    explicit Watched(asio::any_io_executor executor) : tasks(std::move(executor)) {}

    void tell(const Key& key, ObjectPtr object) {
        latest = std::move(object);
        const auto all = listeners;
        for (const auto& [uid, seen] : all) seen(key, latest);
    }

    std::map<std::string, Seen> listeners;  // by the pod's uid
    ObjectPtr latest;
    Tasks tasks;
};

WatchedObjects::~WatchedObjects() = default;

asio::awaitable<void> WatchedObjects::follow(std::weak_ptr<Watched> watched, Client& client,
                                             Clock& clock, Key key) {
    Informer::Handlers handlers;
    const auto tell = [&](const ObjectPtr& object) {
        if (const auto known = watched.lock()) known->tell(key, object);
    };
    handlers.put = tell;
    handlers.erase = [&](const ObjectPtr&) { tell(nullptr); };
    ListScope scope;
    scope.kind = key.kind;
    scope.ns = key.ns;
    scope.field_selector = "metadata.name=" + key.name;
    Informer informer(client, clock, std::move(scope), std::move(handlers));
    co_await informer.run();
}

void WatchedObjects::watch(const std::string& pod_uid, const std::set<Key>& keys,
                           const Seen& seen) {
    forget(pod_uid);
    for (const Key& key : keys) {
        std::shared_ptr<Watched>& watched = watched_[key];
        const bool known = watched != nullptr;
        if (!known) {
            watched = std::make_shared<Watched>(executor_);
            watched->tasks.spawn("kubelet watch", follow(watched, client_, clock_, key));
        }
        watched->listeners[pod_uid] = seen;
        if (known && watched->latest) seen(key, watched->latest);
    }
}

void WatchedObjects::clear() { watched_.clear(); }

void WatchedObjects::forget(const std::string& pod_uid) {
    std::erase_if(watched_, [&](const auto& entry) {
        auto& listeners = entry.second->listeners;
        return listeners.erase(pod_uid) != 0 && listeners.empty();
    });
}

}  // namespace shed::kubelet
