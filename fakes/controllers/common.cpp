#include "fakes/controllers/common.hpp"

#include "fakes/base/rng.hpp"

#include <algorithm>

namespace shed::controllers {

const Kind& trainjobs() { return kind_of("trainer.kubeflow.org/v1alpha1", "TrainJob"); }
const Kind& jobsets() { return kind_of("jobset.x-k8s.io/v1alpha2", "JobSet"); }
const Kind& jobs() { return kind_of("batch/v1", "Job"); }
const Kind& pods() { return kind_of("v1", "Pod"); }
const Kind& services() { return kind_of("v1", "Service"); }
const Kind& config_maps() { return kind_of("v1", "ConfigMap"); }
const Kind& secrets() { return kind_of("v1", "Secret"); }
const Kind& nodes() { return kind_of("v1", "Node"); }
const Kind& namespaces() { return kind_of("v1", "Namespace"); }

Json owner_reference(const Object& owner) {
    return {{"apiVersion", owner.kind().api_version()}, {"kind", owner.kind().kind}, {"name", owner.name()},
            {"uid", owner.uid()},                       {"controller", true},        {"blockOwnerDeletion", true}};
}

std::vector<Key> owner_keys(const Snapshot&, const Object& changed, const Kind& kind) {
    const OwnerReference* owner = changed.controller();
    if (owner == nullptr || owner->kind != kind.kind || owner->api_version != kind.api_version()) return {};
    return {Key{&kind, changed.ns(), owner->name}};
}

const Json& condition_in(const Json& conditions, const std::string& type) {
    static const Json none;
    if (conditions.is_array())
        for (const Json& condition : conditions)
            if (string_at(condition, "type") == type) return condition;
    return none;
}

bool is_true(const Json& conditions, const std::string& type) {
    return string_at(condition_in(conditions, type), "status") == "True";
}

bool set_condition(Json& conditions, const std::string& type, bool status, const std::string& reason,
                   const std::string& message, const std::string& time) {
    if (!conditions.is_array()) conditions = Json::array();
    const std::string value = status ? "True" : "False";
    for (Json& condition : conditions) {
        if (string_at(condition, "type") != type) continue;
        const bool turned = string_at(condition, "status") != value;
        const bool reworded = string_at(condition, "reason") != reason || string_at(condition, "message") != message;
        condition["status"] = value;
        condition["reason"] = reason;
        condition["message"] = message;
        if (turned) condition["lastTransitionTime"] = time;
        return turned || reworded;
    }
    conditions.push_back({{"type", type},
                          {"status", value},
                          {"reason", reason},
                          {"message", message},
                          {"lastTransitionTime", time}});
    return true;
}

const Json* find_named(const Json& list, const std::string& name) {
    if (list.is_array())
        for (const Json& entry : list)
            if (string_at(entry, "name") == name) return &entry;
    return nullptr;
}

Json& entry_named(Json& list, const std::string& name) {
    if (!list.is_array()) list = Json::array();
    for (Json& entry : list)
        if (string_at(entry, "name") == name) return entry;
    list.push_back({{"name", name}});
    return list.back();
}

void upsert(Json& list, const std::string& key, Json entry) {
    if (!list.is_array()) list = Json::array();
    for (Json& known : list) {
        if (member(known, key) != member(entry, key)) continue;
        known = std::move(entry);
        return;
    }
    list.push_back(std::move(entry));
}

bool has_finalizer(const Object& object, std::string_view name) {
    const auto& all = object.finalizers();
    return std::find(all.begin(), all.end(), name) != all.end();
}

Json without_finalizer(const Object& object, std::string_view name) {
    Json kept = Json::array();
    for (const std::string& finalizer : object.finalizers())
        if (finalizer != name) kept.push_back(finalizer);
    return {{"metadata", {{"finalizers", kept.empty() ? Json() : kept}}}};
}

std::string name_suffix(std::string_view seed) { return Rng(hash_text(seed)).suffix(); }

}  // namespace shed::controllers
