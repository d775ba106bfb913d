#include "fakes/controllers/controllers.hpp"

namespace shed {

void Snapshot::put(ObjectPtr object) {
    erase(object->key());
    const Key& key = object->key();
    by_uid_[object->uid()] = key;
    for (const OwnerReference& owner : object->owners()) by_owner_[owner.uid].insert(key);
    objects_[key] = std::move(object);
}

void Snapshot::erase(const Key& key) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    const ObjectPtr object = found->second;
    for (const OwnerReference& owner : object->owners()) {
        const auto owned = by_owner_.find(owner.uid);
        if (owned == by_owner_.end()) continue;
        owned->second.erase(key);
        if (owned->second.empty()) by_owner_.erase(owned);
    }
    by_uid_.erase(object->uid());
    objects_.erase(found);
}

ObjectPtr Snapshot::find(const Key& key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
}

ObjectPtr Snapshot::find_by_uid(std::string_view uid) const {
    const auto found = by_uid_.find(std::string(uid));
    return found == by_uid_.end() ? nullptr : find(found->second);
}

std::vector<ObjectPtr> Snapshot::owned_by(std::string_view uid) const {
    std::vector<ObjectPtr> owned;
    if (const auto keys = by_owner_.find(std::string(uid)); keys != by_owner_.end())
        for (const Key& key : keys->second) owned.push_back(find(key));
    return owned;
}

std::vector<ObjectPtr> Snapshot::controlled_by(std::string_view uid, const Kind& kind) const {
    std::vector<ObjectPtr> controlled;
    for (const ObjectPtr& object : owned_by(uid)) {
        const OwnerReference* controller = object->controller();
        if (&object->kind() == &kind && controller != nullptr && controller->uid == uid)
            controlled.push_back(object);
    }
    return controlled;
}

std::vector<ObjectPtr> Snapshot::list(const Kind& kind, std::string_view ns) const {
    std::vector<ObjectPtr> result;
    const Key first{&kind, std::string(ns), ""};
    for (auto at = objects_.lower_bound(first); at != objects_.end() && at->first.kind == &kind; ++at) {
        if (!ns.empty() && at->first.ns != ns) break;
        result.push_back(at->second);
    }
    return result;
}

}  // namespace shed
