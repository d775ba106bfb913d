#pragma once
// The only bus: every object of the cluster, one resourceVersion for all kinds, and the recent events in order.
// Never validates, never names, never deletes by itself: fakes/api decides, this keeps. An events.k8s.io Kind is taken
// for core's: the two are one storage, and what is stored is always core's form.
// With a Journal a change is here at once and durable a little later. Nobody may be shown a version before it is
// durable (until_durable in fakes/journal), so that a change which the journal loses was never seen and is undone.
#include "fakes/kube/kube.hpp"

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <unordered_map>

namespace shed {

struct StoreEvent {
    enum class Type { added, modified, deleted };
    Type type;
    ObjectPtr object;    // for deleted: the last state, carrying the version of the deletion
    ObjectPtr previous;  // the state before; nullptr for added. Selector watches need it.
    ResourceVersion version() const { return object->resource_version(); }
};

// Makes changes last. It reports back by Store::settle or Store::roll_back, on the store's thread.
class Journal {
public:
    virtual ~Journal() = default;
    // Takes over one change; must not wait.
    virtual void append(const StoreEvent& event) = 0;
};

class Store {
public:
    explicit Store(std::size_t events_max = 100'000);

    ObjectPtr find(const Key& key) const;
    // In key order (namespace, name). Empty namespace means all of them.
    std::vector<ObjectPtr> list(const Kind& kind, std::string_view ns = "") const;
    std::vector<ObjectPtr> list_owned_by(std::string_view owner_uid) const;
    ObjectPtr find_by_uid(std::string_view uid) const;
    std::size_t size() const;

    ResourceVersion version() const { return version_; }
    // Stores a new or changed object; `dom` gets the next resourceVersion stamped into its metadata.
    ObjectPtr put(Json dom);
    // Removes it; the event carries the last state with the version of the deletion. nullptr when absent.
    ObjectPtr remove(const Key& key);

    // Events after `since`, for one kind; `too_old` (410) when they are no longer kept.
    struct Events {
        std::vector<StoreEvent> events;
        bool too_old = false;
    };
    Events events_since(const Kind& kind, ResourceVersion since, std::size_t max) const;
    ResourceVersion oldest_event() const { return oldest_; }

    // Called after each change, on the same thread. The handle unsubscribes when destroyed.
    using Listener = std::function<void(const StoreEvent&)>;
    class Subscription {
    public:
        Subscription() = default;
        Subscription(Store* store, int id) : store_(store), id_(id) {}
        Subscription(Subscription&& other) noexcept { *this = std::move(other); }
        Subscription& operator=(Subscription&& other) noexcept;
        ~Subscription();

    private:
        Store* store_ = nullptr;
        int id_ = 0;
    };
    [[nodiscard]] Subscription subscribe(Listener listener);

    // ---- durability (durability.cpp)
    // Begins with what a journal kept, and gives it every change from now on. Only an empty store can. Watches from
    // before `version` are too old: their events are not kept.
    void begin_with(std::vector<ObjectPtr> objects, ResourceVersion version, Journal& journal);
    // Everything up to this version is durable. Without a journal that is everything.
    ResourceVersion durable() const { return journal_ == nullptr ? version_ : durable_; }
    bool all_durable() const { return durable() == version_; }
    void settle(ResourceVersion version);
    // Undoes what is not durable; its versions are given again. Those who wait are told why.
    void roll_back(const Error& why);
    // Set while there is room for deletions only; whoever would add something gets this answer instead.
    const std::optional<Error>& full() const { return full_; }
    void set_full(std::optional<Error> full) { full_ = std::move(full); }

    // Called once, when `version` is durable (nullopt) or lost. The handle, when destroyed before, prevents it.
    using Settled = std::function<void(const std::optional<Error>& lost)>;
    using Waits = std::map<std::pair<ResourceVersion, int>, Settled>;
    class Wait {
    public:
        Wait(std::weak_ptr<Waits> waits, Waits::key_type place) : waits_(std::move(waits)), place_(place) {}
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;
        ~Wait() {
            if (const auto waits = waits_.lock()) waits->erase(place_);
        }

    private:
        std::weak_ptr<Waits> waits_;  // a request may end after the store
        Waits::key_type place_;
    };
    [[nodiscard]] Wait when_settled(ResourceVersion version, Settled settled);

private:
    // The recent events of one kind. Old objects are kept alive by it, so it is bounded in bytes too.
    struct Ring {
        std::deque<StoreEvent> events;
        std::size_t bytes = 0;
        ResourceVersion dropped = 0;  // the version of the newest event that is gone
    };

    void commit(StoreEvent event);
    void trim(Ring& ring);
    void index(const ObjectPtr& object, bool present);
    void undo(const StoreEvent& event);

    using ByName = std::map<std::pair<std::string, std::string>, ObjectPtr>;
    std::map<const Kind*, ByName> objects_;
    std::unordered_map<std::string, ObjectPtr> by_uid_;
    std::unordered_map<std::string, std::set<Key>> by_owner_;
    std::map<const Kind*, Ring> events_;  // per kind, so that a busy kind does not slow others
    std::map<int, Listener> listeners_;
    ResourceVersion version_ = 0;
    ResourceVersion oldest_ = 0;
    std::size_t events_max_;
    int next_listener_ = 0;

    Journal* journal_ = nullptr;
    ResourceVersion durable_ = 0;
    ResourceVersion begun_with_ = 0;  // earlier events were never here
    std::deque<StoreEvent> pending_;  // not durable yet
    std::shared_ptr<Waits> waits_ = std::make_shared<Waits>();
    int next_wait_ = 0;
    std::optional<Error> full_;
};

}  // namespace shed
