#include "fakes/manager/queue.hpp"

#include <algorithm>

namespace shed {

void KeyQueue::add(const Key& key) {
    if (queued_.insert(key).second) ready_.push_back(key);
}

void KeyQueue::add_at(const Key& key, Time at) {
    const auto [known, fresh] = due_.emplace(key, at);
    if (!fresh) {
        if (known->second <= at) return;
        later_.erase({known->second, key});
        known->second = at;
    }
    later_.emplace(at, key);
}

std::optional<Key> KeyQueue::take(Time now) {
    while (!later_.empty() && later_.begin()->first <= now) {
        const Key key = later_.begin()->second;
        later_.erase(later_.begin());
        due_.erase(key);
        add(key);
    }
    if (ready_.empty()) return std::nullopt;
    Key key = std::move(ready_.front());
    ready_.pop_front();
    queued_.erase(key);
    return key;
}

std::optional<Time> KeyQueue::next_due() const {
    if (later_.empty()) return std::nullopt;
    return later_.begin()->first;
}

Duration KeyQueue::failed(const Key& key) {
    const int times = failures_[key]++;
    const auto wait = std::chrono::milliseconds(5) * (1LL << std::min(times, 20));
    return std::min<Duration>(wait, std::chrono::seconds(1000));
}

void KeyQueue::succeeded(const Key& key) { failures_.erase(key); }

}  // namespace shed
