#include "fakes/client/informer.hpp"

#include "fakes/base/log.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

constexpr Duration wait_least = std::chrono::milliseconds(50);
constexpr Duration wait_most = std::chrono::seconds(10);

}  // namespace

asio::awaitable<void> Informer::run() {
    Duration wait = wait_least;
    for (;;) {
        ListScope scope = scope_;
        auto listed = co_await client_.list(std::move(scope));
        if (!listed) {
            log(LogLevel::info, "informer.list_failed",
                {{"kind", scope_.kind->plural}, {"why", listed.error().message}});
            co_await clock_.sleep_until(clock_.now() + wait);
            wait = std::min(wait * 2, wait_most);
            continue;
        }
        wait = wait_least;
        replace(*listed);
        // A watch that ends without an error is simply renewed from the last version seen.
        for (;;) {
            ListScope again = scope_;
            std::function<void(const WatchEvent&)> handler = [this](const WatchEvent& event) {
                handle(event);
            };
            const ResourceVersion before = version_;
            const Error end = co_await client_.watch(std::move(again), version_, std::move(handler));
            if (end.reason == Reason::expired) break;
            if (version_ != before) wait = wait_least;
            co_await clock_.sleep_until(clock_.now() + wait);
            wait = std::min(wait * 2, wait_most);
            if (end.reason != Reason::timeout && end.reason != Reason::unavailable) break;
        }
    }
}

void Informer::replace(const ListResult& listed) {
    std::map<Key, ObjectPtr> fresh;
    for (const ObjectPtr& object : listed.items) fresh[object->key()] = object;
    std::map<Key, ObjectPtr> before = std::exchange(known_, fresh);
    for (const auto& [key, object] : before) {
        const auto now = fresh.find(key);
        if (now == fresh.end() || now->second->uid() != object->uid()) handlers_.erase(object);
    }
    for (const auto& [key, object] : fresh) {
        const auto then = before.find(key);
        if (then == before.end() || then->second->resource_version() != object->resource_version())
            handlers_.put(object);
    }
    version_ = listed.version;
    if (!std::exchange(synced_, true) && handlers_.synced) handlers_.synced();
}

void Informer::handle(const WatchEvent& event) {
    if (!event.object) return;
    version_ = std::max(version_, event.object->resource_version());
    if (event.type == WatchEvent::Type::deleted) {
        known_.erase(event.object->key());
        handlers_.erase(event.object);
    } else if (event.type == WatchEvent::Type::added || event.type == WatchEvent::Type::modified) {
        known_[event.object->key()] = event.object;
        handlers_.put(event.object);
    }
}

}  // namespace shed
