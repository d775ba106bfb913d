// The types of metadata's members, and the kinds' special rules about writes.
#include "fakes/api/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

std::string go_type_of(const Json& value) {
    if (value.is_array()) return "array";
    if (value.is_object()) return "object";
    if (value.is_string()) return "string";
    return value.is_boolean() ? "bool" : "number";
}

}  // namespace

std::optional<Error> check_metadata_types(const Kind& kind, const Json& object) {
    const std::string prefix = kind.custom ? "ObjectMeta." : "ObjectMeta.metadata.";
    const auto wrong = [&](const Json& value, const std::string& name, const char* type) {
        return bad_request(std::string(kind.kind) + " in version \"" + std::string(kind.version) +
                           "\" cannot be handled as a " + std::string(kind.kind) +
                           ": json: cannot unmarshal " + go_type_of(value) +
                           " into Go struct field " + prefix + name + " of type " + type);
    };
    const Json& metadata = member(object, "metadata");
    if (!metadata.is_null() && !metadata.is_object())
        return bad_request(std::string(kind.kind) + " in version \"" + std::string(kind.version) +
                           "\" cannot be handled as a " + std::string(kind.kind) +
                           ": json: cannot unmarshal " + go_type_of(metadata) +
                           " into Go struct field " + std::string(kind.kind) +
                           ".metadata of type v1.ObjectMeta");
    for (const char* name : {"name", "generateName", "namespace", "uid", "resourceVersion"}) {
        const Json& value = member(metadata, name);
        if (!value.is_null() && !value.is_string()) return wrong(value, name, "string");
    }
    for (const char* name : {"labels", "annotations"}) {
        const Json& map = member(metadata, name);
        if (map.is_null()) continue;
        if (!map.is_object()) return wrong(map, name, "map[string]string");
        for (const Json& value : map)
            if (!value.is_string() && !value.is_null()) return wrong(value, name, "string");
    }
    const Json& finalizers = member(metadata, "finalizers");
    if (!finalizers.is_null() && !finalizers.is_array())
        return wrong(finalizers, "finalizers", "[]string");
    const Json& owners = member(metadata, "ownerReferences");
    if (!owners.is_null() && !owners.is_array())
        return wrong(owners, "ownerReferences", "[]v1.OwnerReference");
    return std::nullopt;
}

bool unconditional_update_allowed(const Kind& kind) {
    return !kind.custom && kind.plural != "leases" && kind.plural != "customresourcedefinitions";
}

bool created_by_update(const Kind& kind) {
    return kind.plural == "leases" || kind.plural == "events" || kind.plural == "endpoints" ||
           kind.plural == "limitranges" || kind.plural == "runtimeclasses";
}

bool returned_when_deleted(const Kind& kind) {
    static constexpr std::string_view kinds[] = {
        "pods",           "services",     "serviceaccounts", "persistentvolumeclaims",
        "podtemplates",   "persistentvolumes", "resourcequotas"};
    return kind.group.empty() && std::find(std::begin(kinds), std::end(kinds), kind.plural) !=
                                     std::end(kinds);
}

bool spec_equal(const Kind& kind, const Json& one, const Json& other) {
    const auto relevant = [&](const std::string& key) {
        return key != "metadata" && !(kind.has_status && key == "status");
    };
    for (const auto& [key, value] : one.items())
        if (relevant(key) && member(other, key) != value) return false;
    for (const auto& [key, value] : other.items())
        if (relevant(key) && !one.contains(key) && !value.is_null()) return false;
    return true;
}

std::string field_manager(const Request& request) {
    if (const auto named = request.parameter("fieldManager"); !named.empty())
        return std::string(named);
    const std::string_view agent = request.user_agent;
    const std::string manager(agent.substr(0, agent.find('/')));
    return manager.empty() ? "unknown" : manager;
}

}  // namespace shed
