// The garbage collector: deletes what has lost its owners, and carries out foreground and orphaning
// deletion. Rules: k8s.io/kubernetes/pkg/controller/garbagecollector.
#include "fakes/controllers/common.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr const char* foreground = "foregroundDeletion";
constexpr const char* orphan = "orphan";
// An owner nobody has ever seen may be on its way: watches of different kinds are not ordered.
constexpr Duration absence_confirmed_after = std::chrono::seconds(2);

// A merge patch that keeps only the owners `keep` wants.
template <class Keep>
Json owners_patch(const Object& object, Keep keep) {
    Json kept = Json::array();
    const Json& owners = at_path(object.dom(), "metadata.ownerReferences");
    for (const Json& owner : owners)
        if (keep(string_at(owner, "uid"))) kept.push_back(owner);
    return {{"metadata", {{"uid", object.uid()}, {"ownerReferences", kept.empty() ? Json() : kept}}}};
}

std::string policy_of(const Object& object) {
    if (has_finalizer(object, orphan)) return "Orphan";
    return has_finalizer(object, foreground) ? "Foreground" : "Background";
}

void orphan_dependents(Plan& plan, const Snapshot& cluster, const Object& owner) {
    for (const ObjectPtr& dependent : cluster.owned_by(owner.uid()))
        plan.actions.push_back(MergePatch{
            dependent->key(),
            owners_patch(*dependent, [&](const std::string& uid) { return uid != owner.uid(); })});
    plan.actions.push_back(MergePatch{owner.key(), without_finalizer(owner, orphan)});
}

bool blocks(const Object& dependent, const Object& owner) {
    return std::any_of(dependent.owners().begin(), dependent.owners().end(),
                       [&](const OwnerReference& reference) {
                           return reference.uid == owner.uid() && reference.block_owner_deletion;
                       });
}

// Dependents are deleted in passes of their own; the owner goes when none that blocks is left.
void finish_foreground(Plan& plan, const Snapshot& cluster, const Object& owner) {
    for (const ObjectPtr& dependent : cluster.owned_by(owner.uid()))
        if (blocks(*dependent, owner)) return;
    plan.actions.push_back(MergePatch{owner.key(), without_finalizer(owner, foreground)});
}

struct Owners {
    std::set<std::string> solid, dangling, waiting;
    bool unsure = false;  // an owner is absent, but may be only late
};

Owners owners_of(const Snapshot& cluster, const Object& object, Time now) {
    Owners owners;
    const bool settled = now >= object.creation_timestamp() + absence_confirmed_after;
    for (const OwnerReference& reference : object.owners()) {
        const Kind* kind = find_kind_by_name(reference.api_version, reference.kind);
        const ObjectPtr owner = cluster.find_by_uid(reference.uid);
        if (kind == nullptr) {
            owners.solid.insert(reference.uid);  // not served here: nobody can say it is gone
        } else if (owner && owner->name() == reference.name && &owner->kind() == kind &&
                   (!kind->namespaced || owner->ns() == object.ns())) {
            const bool leaving = owner->deleting() && has_finalizer(*owner, foreground);
            (leaving ? owners.waiting : owners.solid).insert(reference.uid);
        } else if (settled || owner || cluster.was_erased(reference.uid)) {
            owners.dangling.insert(reference.uid);
        } else {
            owners.unsure = true;
        }
    }
    return owners;
}

void collect(Plan& plan, const Snapshot& cluster, const Object& object, const Inputs& in) {
    const Owners owners = owners_of(cluster, object, in.now);
    if (owners.unsure) {
        plan.look_again_at = object.creation_timestamp() + absence_confirmed_after;
        return;
    }
    if (!owners.solid.empty()) {
        if (owners.dangling.empty() && owners.waiting.empty()) return;
        const auto keep = [&](const std::string& uid) { return owners.solid.contains(uid); };
        plan.actions.push_back(MergePatch{object.key(), owners_patch(object, keep)});
        return;
    }
    const bool cascade = !owners.waiting.empty() && !cluster.owned_by(object.uid()).empty();
    plan.actions.push_back(
        Delete{object.key(), object.uid(), cascade ? "Foreground" : policy_of(object)});
}

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    Plan plan;
    const ObjectPtr object = cluster.find(key);
    if (!object) return plan;
    if (object->deleting()) {
        if (has_finalizer(*object, orphan)) orphan_dependents(plan, cluster, *object);
        else if (has_finalizer(*object, foreground)) finish_foreground(plan, cluster, *object);
    } else if (!object->owners().empty()) {
        collect(plan, cluster, *object, in);
    }
    return plan;
}

std::vector<Key> keys_for(const Snapshot& cluster, const Object& changed) {
    std::vector<Key> keys;
    const bool gone = !cluster.find_by_uid(changed.uid());
    if (!gone && (!changed.owners().empty() || changed.deleting())) keys.push_back(changed.key());
    if (gone || changed.deleting())
        for (const ObjectPtr& dependent : cluster.owned_by(changed.uid()))
            keys.push_back(dependent->key());
    // A dependent that left may have been the last that its owner waited for.
    if (gone)
        for (const OwnerReference& reference : changed.owners())
            if (const ObjectPtr owner = cluster.find_by_uid(reference.uid);
                owner && owner->deleting())
                keys.push_back(owner->key());
    return keys;
}

// Everything that is stored, but events: they own nothing, are owned by nobody and are many.
std::vector<const Kind*> collected_kinds() {
    std::vector<const Kind*> kinds;
    for (const Kind& kind : all_kinds())
        if (!kind.create_only && kind.plural != "events") kinds.push_back(&kind);
    return kinds;
}

}  // namespace

Controller garbage_collector() {
    return {"garbage", "kube-controller-manager", nullptr, collected_kinds(), keys_for, reconcile};
}

}  // namespace shed::controllers
