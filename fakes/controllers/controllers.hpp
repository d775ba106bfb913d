#pragma once
// The control plane's decisions: Trainer, JobSet, Job, scheduler, garbage collector, namespaces, service accounts, nodes.
// Each is reconcile_x(snapshot, object, now) -> Plan: no I/O, no clock, no randomness but Inputs. One shared driver
// (fakes/manager) runs plans through Client, in order, and reconciles again after a conflict or when a watched object
// changes. Names are deterministic (hash of uid, index, attempt), so AlreadyExists means done.
#include "fakes/base/ssh_key.hpp"
#include "fakes/kube/kube.hpp"

#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <variant>

namespace shed {

// A consistent view of everything the controllers watch, with indexes. The manager keeps it current from watch events.
class Snapshot {
public:
    void put(ObjectPtr object);
    void erase(const Key& key);
    ObjectPtr find(const Key& key) const;                       // nullptr when absent
    ObjectPtr find_by_uid(std::string_view uid) const;
    std::vector<ObjectPtr> owned_by(std::string_view uid) const;        // by any ownerReference, in key order
    std::vector<ObjectPtr> controlled_by(std::string_view uid, const Kind& kind) const;  // controller: true only
    std::vector<ObjectPtr> list(const Kind& kind, std::string_view ns = "") const;
    std::vector<ObjectPtr> pods_on(std::string_view node) const;  // bound to it, ended ones too
    // True when an object with this uid was here and has gone (the last 65,536 are known).
    bool was_erased(std::string_view uid) const { return erased_.contains(std::string(uid)); }

private:
    void forget(const Key& key);
    std::map<Key, ObjectPtr> objects_;
    std::unordered_map<std::string, Key> by_uid_;
    std::unordered_map<std::string, std::set<Key>> by_owner_;
    std::unordered_map<std::string, std::set<Key>> by_node_;
    std::unordered_set<std::string> erased_;
    std::deque<std::string> erased_order_;
};

// Writes a controller wants, in order. The driver stops at the first failure and comes back later.
struct EmitEvent {                                                                   // recorded only after all earlier writes succeeded
    Key about;
    std::string type, reason, message;      // Normal or Warning
    std::string component;                  // source.component (core) or reportingController (events.k8s.io)
    bool new_style = false;                 // events.k8s.io: eventTime, action, no firstTimestamp
    std::string action = {};
};
// `refusal` is recorded when the write fails: its message is followed by the server's.
struct Create { Json object; std::optional<EmitEvent> refusal = {}; };
struct Apply { Json object; std::string manager; std::optional<EmitEvent> refusal = {}; };  // server-side apply, forced
struct Update { Json object; std::string subresource = {}; };                        // PUT with resourceVersion: 409 on race
// may_be_gone: that the object is no longer there is as good.
struct MergePatch { Key key; Json patch; std::string subresource = {}; bool may_be_gone = false; };
struct Delete { Key key; std::string uid = {}; std::string propagation = {}; std::optional<int> grace_seconds = {}; };
struct Bind { Key pod; std::string node; };                                          // pods/binding
using Action = std::variant<Create, Apply, Update, MergePatch, Delete, Bind, EmitEvent>;

struct Plan {
    std::vector<Action> actions;
    std::vector<Action> regardless = {};  // carried out even when `actions` failed
    std::optional<Time> look_again_at;  // for deadlines, back-off and TTL
    Json memory = nullptr;              // given back at the next pass of this key; lost with the driver
    std::string failed = {};            // a reconcile error that is no write: retried with back-off (5 ms doubling)
};

// Everything that is not in the snapshot. Passed by the driver; fixed in tests.
struct Inputs {
    Time now{};
    std::string field_manager;
    SshKeyPair (*make_ssh_key)() = nullptr;
    std::uint64_t seed = 0;
    bool faithful_timing = false;  // keep the Job controller's 1 s batching and probe delays
    Json memory = nullptr;         // what the last plan for this key asked to remember
    std::string root_ca_pem;       // for kube-root-ca.crt
};

struct Controller {
    std::string_view name;                       // "trainjob"
    std::string_view manager;                    // field manager of its writes: "trainer", "jobset", "kube-controller-manager"
    const Kind* kind;                            // the objects it reconciles; nullptr: what keys_for says
    std::vector<const Kind*> watches;            // kinds it reads: the driver keeps these in the Snapshot
    // Which of its objects to reconcile after `changed` changed. Usually the controller owner.
    std::vector<Key> (*keys_for)(const Snapshot&, const Object& changed);
    // `key`'s object may be gone.
    Plan (*reconcile)(const Snapshot&, const Key& key, const Inputs&);
    // With faithful timing what is no news of the object's own spec waits so long, so that one pass sees much.
    Duration batch = {};
};

const std::vector<Controller>& all_controllers();

// What a fresh cluster holds before anyone writes to it, in the order to create it: namespaces,
// priority classes, the shipped runtimes (trainer.md 3.1), Trainer's public ConfigMap and the API's
// own Service.
std::vector<Json> bootstrap_objects();

}  // namespace shed
