// The part of the store that deals with a journal: what is durable, who waits for it, and what is undone.
#include "fakes/store/store.hpp"

namespace shed {

void Store::begin_with(std::vector<ObjectPtr> objects, ResourceVersion version, Journal& journal) {
    SHED_CHECK(version_ == 0 && journal_ == nullptr);
    for (ObjectPtr& object : objects) {
        SHED_CHECK(object->resource_version() <= version);
        index(object, true);
        objects_[&object->kind()][{object->ns(), object->name()}] = std::move(object);
    }
    version_ = durable_ = begun_with_ = oldest_ = version;
    journal_ = &journal;
}

void Store::settle(ResourceVersion version) {
    SHED_CHECK(version >= durable_ && version <= version_);
    durable_ = version;
    while (!pending_.empty() && pending_.front().version() <= version) pending_.pop_front();
    // Whoever is told may end other waits.
    while (!waits_->empty() && waits_->begin()->first.first <= version) {
        const auto first = waits_->extract(waits_->begin());
        first.mapped()(std::nullopt);
    }
}

void Store::roll_back(const Error& why) {
    for (; !pending_.empty(); pending_.pop_back()) undo(pending_.back());
    version_ = durable_;
    while (!waits_->empty()) {
        const auto first = waits_->extract(waits_->begin());
        first.mapped()(why);
    }
}

// Listeners are not told: nobody was shown the change.
void Store::undo(const StoreEvent& event) {
    const Key& key = event.object->key();
    ByName& objects = objects_[key.kind];
    if (event.type != StoreEvent::Type::deleted) index(event.object, false);
    if (event.previous) {
        objects[{key.ns, key.name}] = event.previous;
        index(event.previous, true);
    } else {
        objects.erase({key.ns, key.name});
    }
    Ring& ring = events_[key.kind];
    if (ring.events.empty() || ring.events.back().version() != event.version()) return;
    ring.bytes -= ring.events.back().object->bytes().size();
    ring.events.pop_back();
}

Store::Wait Store::when_settled(ResourceVersion version, Settled settled) {
    const Waits::key_type place{version, next_wait_++};
    waits_->emplace(place, std::move(settled));
    return {waits_, place};
}

}  // namespace shed
