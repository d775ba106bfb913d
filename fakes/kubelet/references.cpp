#include "fakes/kubelet/compose.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

void add(std::vector<Key>& keys, std::string_view kind, const std::string& ns,
         const std::string& name) {
    if (!name.empty()) keys.push_back(Key{&kind_of("v1", kind), ns, name});
}

void add_source(std::vector<Key>& keys, const std::string& ns, const Json& source) {
    add(keys, "Secret", ns,
        string_at(source, "secret.name", string_at(source, "secret.secretName")));
    add(keys, "ConfigMap", ns, string_at(source, "configMap.name"));
}

}  // namespace

ObjectPtr Found::find(std::string_view kind, const std::string& ns, const std::string& name) const {
    const auto found = objects.find(Key{&kind_of("v1", kind), ns, name});
    return found == objects.end() ? nullptr : found->second;
}

std::vector<Key> volume_references(const Object& pod) {
    std::vector<Key> keys;
    for (const Json& volume : at_path(pod.dom(), "spec.volumes")) {
        add_source(keys, pod.ns(), volume);
        for (const Json& source : at_path(volume, "projected.sources"))
            add_source(keys, pod.ns(), source);
    }
    return keys;
}

std::vector<Key> env_references(const Object& pod, const Json& container) {
    std::vector<Key> keys;
    for (const Json& source : member(container, "envFrom")) {
        add(keys, "Secret", pod.ns(), string_at(source, "secretRef.name"));
        add(keys, "ConfigMap", pod.ns(), string_at(source, "configMapRef.name"));
    }
    for (const Json& variable : member(container, "env")) {
        add(keys, "Secret", pod.ns(), string_at(variable, "valueFrom.secretKeyRef.name"));
        add(keys, "ConfigMap", pod.ns(), string_at(variable, "valueFrom.configMapKeyRef.name"));
    }
    return keys;
}

}  // namespace shed::kubelet
