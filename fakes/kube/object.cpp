#include "fakes/kube/kube.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

ResourceVersion version_in(const Json& metadata) {
    const std::string text = string_at(metadata, "resourceVersion");
    ResourceVersion version = 0;
    std::from_chars(text.data(), text.data() + text.size(), version);
    return version;
}

std::vector<OwnerReference> owners_in(const Json& metadata) {
    std::vector<OwnerReference> owners;
    const Json& references = member(metadata, "ownerReferences");
    if (!references.is_array()) return owners;
    for (const Json& r : references) {
        owners.push_back({string_at(r, "apiVersion"), string_at(r, "kind"), string_at(r, "name"),
                          string_at(r, "uid"), bool_at(r, "controller"),
                          bool_at(r, "blockOwnerDeletion")});
    }
    return owners;
}

}  // namespace

Object::Object() = default;
Object::~Object() = default;

ObjectPtr Object::make(Json dom) {
    auto object = std::make_shared<Object>();
    const Kind& kind = kind_of(string_at(dom, "apiVersion"), string_at(dom, "kind"));
    const Json& metadata = member(dom, "metadata");
    object->key_ = {&kind, kind.namespaced ? string_at(metadata, "namespace") : std::string(),
                    string_at(metadata, "name")};
    SHED_CHECK(!object->key_.name.empty());
    object->uid_ = string_at(metadata, "uid");
    object->resource_version_ = version_in(metadata);
    object->generation_ = int_at(metadata, "generation");
    object->creation_timestamp_ =
        parse_time(string_at(metadata, "creationTimestamp")).value_or(Time{});
    object->deletion_timestamp_ = parse_time(string_at(metadata, "deletionTimestamp"));
    if (const Json& labels = member(metadata, "labels"); labels.is_object()) {
        for (const auto& [name, value] : labels.items())
            if (value.is_string()) object->labels_.emplace_back(name, value.get<std::string>());
    }
    object->owners_ = owners_in(metadata);
    if (const Json& finalizers = member(metadata, "finalizers"); finalizers.is_array()) {
        for (const Json& f : finalizers)
            if (f.is_string()) object->finalizers_.push_back(f.get<std::string>());
    }
    object->bytes_ = dump_json(dom);
    object->dom_ = std::make_unique<Json>(std::move(dom));
    return object;
}

const Json& Object::dom() const {
    if (!dom_) dom_ = std::make_unique<Json>(Json::parse(bytes_));
    return *dom_;
}

std::string_view Object::label(std::string_view name) const {
    const auto found = std::lower_bound(labels_.begin(), labels_.end(), name,
                                        [](const auto& entry, auto n) { return entry.first < n; });
    return found != labels_.end() && found->first == name ? std::string_view(found->second)
                                                          : std::string_view();
}

const OwnerReference* Object::controller() const {
    for (const OwnerReference& owner : owners_)
        if (owner.controller) return &owner;
    return nullptr;
}

}  // namespace shed
