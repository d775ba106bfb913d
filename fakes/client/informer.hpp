#pragma once
// One kind, kept current: list, then watch, then list again when the watch ends with 410 or an error.
// Objects that vanished while nobody watched are reported as erased after the list.
#include "fakes/client/client.hpp"

#include <functional>
#include <map>

namespace shed {

class Informer {
public:
    struct Handlers {
        std::function<void(const ObjectPtr&)> put;
        std::function<void(const ObjectPtr&)> erase;  // with the last known state
        std::function<void()> synced = {};            // once, after the first list
    };
    Informer(Client& client, Clock& clock, ListScope scope, Handlers handlers)
        : client_(client), clock_(clock), scope_(std::move(scope)), handlers_(std::move(handlers)) {}

    // Runs until cancelled. Failures are retried after 50 ms, doubling to 10 s.
    boost::asio::awaitable<void> run();

private:
    void replace(const ListResult& listed);
    void handle(const WatchEvent& event);

    Client& client_;
    Clock& clock_;
    ListScope scope_;
    Handlers handlers_;
    std::map<Key, ObjectPtr> known_;
    ResourceVersion version_ = 0;
    bool synced_ = false;
};

}  // namespace shed
