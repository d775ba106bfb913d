#pragma once
// The work queue of one controller: keys once each, in order of arrival, some only after a time.
#include "fakes/base/time.hpp"
#include "fakes/kube/kube.hpp"

#include <deque>
#include <map>
#include <optional>
#include <set>

namespace shed {

class KeyQueue {
public:
    void add(const Key& key);
    // Of several times for a key the first counts.
    void add_at(const Key& key, Time at);
    // Moves what is due into the queue and takes its first key.
    std::optional<Key> take(Time now);
    std::optional<Time> next_due() const;
    // How long to wait before trying this key again; each call doubles it, up to 1000 s.
    Duration failed(const Key& key);
    void succeeded(const Key& key);

private:
    std::deque<Key> ready_;
    std::set<Key> queued_;
    std::set<std::pair<Time, Key>> later_;
    std::map<Key, Time> due_;  // the same by key
    std::map<Key, int> failures_;
};

}  // namespace shed
