#include "fakes/controllers/controllers.hpp"

namespace shed {

namespace {

constexpr std::size_t erased_max = 65'536;

std::string node_of(const Object& object) {
    if (object.kind().plural != "pods") return {};
    return string_at(object.dom(), "spec.nodeName");
}

void take_out(std::unordered_map<std::string, std::set<Key>>& index, const std::string& name,
              const Key& key) {
    const auto found = index.find(name);
    if (found == index.end()) return;
    found->second.erase(key);
    if (found->second.empty()) index.erase(found);
}

}  // namespace

void Snapshot::put(ObjectPtr object) {
    forget(object->key());
    const Key& key = object->key();
    by_uid_[object->uid()] = key;
    for (const OwnerReference& owner : object->owners()) by_owner_[owner.uid].insert(key);
    if (const std::string node = node_of(*object); !node.empty()) by_node_[node].insert(key);
    objects_[key] = std::move(object);
}

void Snapshot::forget(const Key& key) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return;
    const ObjectPtr object = found->second;
    for (const OwnerReference& owner : object->owners()) take_out(by_owner_, owner.uid, key);
    if (const std::string node = node_of(*object); !node.empty()) take_out(by_node_, node, key);
    by_uid_.erase(object->uid());
    objects_.erase(found);
}

void Snapshot::erase(const Key& key) {
    const ObjectPtr object = find(key);
    if (!object) return;
    forget(object->key());
    if (!erased_.insert(object->uid()).second) return;
    erased_order_.push_back(object->uid());
    if (erased_order_.size() <= erased_max) return;
    erased_.erase(erased_order_.front());
    erased_order_.pop_front();
}

std::vector<ObjectPtr> Snapshot::pods_on(std::string_view node) const {
    std::vector<ObjectPtr> result;
    if (const auto keys = by_node_.find(std::string(node)); keys != by_node_.end())
        for (const Key& key : keys->second) result.push_back(find(key));
    return result;
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
