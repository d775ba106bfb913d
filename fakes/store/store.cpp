#include "fakes/store/store.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

// Objects of the past may keep their DOM, about seven times their bytes: this much text is some 250 MB in all.
constexpr std::size_t ring_bytes_max = std::size_t{32} << 20;
constexpr std::size_t ring_events_min = 1'000;

// Events of events.k8s.io and of core are one storage.
const Kind& stored_kind(const Kind& kind) {
    if (kind.group != "events.k8s.io") return kind;
    static const Kind& core = kind_of("v1", "Event");
    return core;
}

Json with_version(Json dom, ResourceVersion version) {
    dom["metadata"]["resourceVersion"] = std::to_string(version);
    return dom;
}

std::size_t bytes_of(const StoreEvent& event) { return event.object->bytes().size(); }

}  // namespace

Store::Store(std::size_t events_max) : events_max_(events_max) {}

ObjectPtr Store::find(const Key& key) const {
    SHED_CHECK(key.kind != nullptr);
    const auto kind = objects_.find(&stored_kind(*key.kind));
    if (kind == objects_.end()) return nullptr;
    const auto found = kind->second.find({key.ns, key.name});
    return found == kind->second.end() ? nullptr : found->second;
}

std::vector<ObjectPtr> Store::list(const Kind& kind, std::string_view ns) const {
    std::vector<ObjectPtr> objects;
    const auto found = objects_.find(&stored_kind(kind));
    if (found == objects_.end()) return objects;
    const ByName& all = found->second;
    auto here = ns.empty() ? all.begin() : all.lower_bound({std::string(ns), std::string()});
    if (ns.empty()) objects.reserve(all.size());
    for (; here != all.end() && (ns.empty() || here->first.first == ns); ++here)
        objects.push_back(here->second);
    return objects;
}

std::vector<ObjectPtr> Store::list_owned_by(std::string_view owner_uid) const {
    std::vector<ObjectPtr> objects;
    const auto owned = by_owner_.find(std::string(owner_uid));
    if (owned == by_owner_.end()) return objects;
    for (const Key& key : owned->second) objects.push_back(find(key));
    return objects;
}

ObjectPtr Store::find_by_uid(std::string_view uid) const {
    const auto found = by_uid_.find(std::string(uid));
    return found == by_uid_.end() ? nullptr : found->second;
}

std::size_t Store::size() const {
    std::size_t count = 0;
    for (const auto& [kind, objects] : objects_) count += objects.size();
    return count;
}

ObjectPtr Store::put(Json dom) {
    const ObjectPtr object = Object::make(with_version(std::move(dom), version_ + 1));
    SHED_CHECK(&stored_kind(object->kind()) == &object->kind());
    ++version_;
    ObjectPtr& slot = objects_[&object->kind()][{object->ns(), object->name()}];
    const ObjectPtr previous = std::exchange(slot, object);
    if (previous) index(previous, false);
    index(object, true);
    commit({previous ? StoreEvent::Type::modified : StoreEvent::Type::added, object, previous});
    return object;
}

ObjectPtr Store::remove(const Key& key) {
    const ObjectPtr previous = find(key);
    if (!previous) return nullptr;
    objects_[&previous->kind()].erase({key.ns, key.name});
    index(previous, false);
    ++version_;
    const ObjectPtr last = Object::make(with_version(previous->dom(), version_));
    commit({StoreEvent::Type::deleted, last, previous});
    return last;
}

Store::Events Store::events_since(const Kind& kind, ResourceVersion since, std::size_t max) const {
    Events result;
    if (since < begun_with_) {
        result.too_old = true;
        return result;
    }
    const auto found = events_.find(&stored_kind(kind));
    if (found == events_.end()) return result;
    const Ring& ring = found->second;
    if (since < ring.dropped) {
        result.too_old = true;
        return result;
    }
    auto here = std::upper_bound(
        ring.events.begin(), ring.events.end(), since,
        [](ResourceVersion version, const StoreEvent& e) { return version < e.version(); });
    for (; here != ring.events.end() && result.events.size() < max; ++here)
        result.events.push_back(*here);
    return result;
}

void Store::commit(StoreEvent event) {
    Ring& ring = events_[&event.object->kind()];
    ring.bytes += bytes_of(event);
    ring.events.push_back(event);
    trim(ring);
    if (journal_ != nullptr) {
        pending_.push_back(event);
        journal_->append(event);
    }
    // A listener may unsubscribe itself or others while being called.
    std::vector<int> ids;
    for (const auto& [id, listener] : listeners_) ids.push_back(id);
    for (const int id : ids) {
        const auto found = listeners_.find(id);
        if (found == listeners_.end()) continue;
        const Listener listener = found->second;
        listener(event);
    }
}

void Store::trim(Ring& ring) {
    const auto too_much = [&] {
        return ring.events.size() > events_max_ ||
               (ring.bytes > ring_bytes_max && ring.events.size() > ring_events_min);
    };
    while (too_much()) {
        ring.bytes -= bytes_of(ring.events.front());
        ring.dropped = ring.events.front().version();
        oldest_ = std::max(oldest_, ring.dropped);
        ring.events.pop_front();
    }
}

void Store::index(const ObjectPtr& object, bool present) {
    if (!object->uid().empty()) {
        if (present) by_uid_[object->uid()] = object;
        else by_uid_.erase(object->uid());
    }
    for (const OwnerReference& owner : object->owners()) {
        if (present) {
            by_owner_[owner.uid].insert(object->key());
            continue;
        }
        const auto owned = by_owner_.find(owner.uid);
        if (owned == by_owner_.end()) continue;
        owned->second.erase(object->key());
        if (owned->second.empty()) by_owner_.erase(owned);
    }
}

Store::Subscription Store::subscribe(Listener listener) {
    listeners_.emplace(next_listener_, std::move(listener));
    return {this, next_listener_++};
}

Store::Subscription& Store::Subscription::operator=(Subscription&& other) noexcept {
    if (this == &other) return *this;
    if (store_ != nullptr) store_->listeners_.erase(id_);
    store_ = std::exchange(other.store_, nullptr);
    id_ = other.id_;
    return *this;
}

Store::Subscription::~Subscription() {
    if (store_ != nullptr) store_->listeners_.erase(id_);
}

}  // namespace shed
