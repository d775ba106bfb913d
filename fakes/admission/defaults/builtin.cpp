// Built-in objects are stored as the Go structs print them: no nulls, no empty lists, no empty maps of strings.
#include "fakes/admission/internal.hpp"
#include "fakes/base/base64.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <unordered_map>

namespace shed::admission {

namespace {

const Json& parsed_literal(std::string_view text) {
    static std::unordered_map<std::string_view, Json> cache;
    auto [entry, fresh] = cache.try_emplace(text);
    if (fresh) {
        auto value = parse_json(text);
        SHED_CHECK(value.has_value());
        entry->second = std::move(*value);
    }
    return entry->second;
}

// Maps that are left out when they are empty; other empty objects mean something (emptyDir, securityContext).
bool is_omitted_map(const std::string& name) {
    static const std::set<std::string_view> names = {"labels", "annotations", "nodeSelector", "matchLabels",
                                                     "data",   "binaryData",  "stringData",   "limits",
                                                     "requests", "overhead", "capacity", "allocatable"};
    return names.contains(name);
}

// Go reads a null among strings as the empty one.
bool is_string_map(const std::string& name) {
    static const std::set<std::string_view> names = {"labels", "annotations", "nodeSelector", "matchLabels", "data"};
    return names.contains(name);
}

// Lists that Go prints as null when they are empty.
bool is_kept_list(const std::string& name) {
    static const std::set<std::string_view> names = {"containers", "endpoints", "rules", "subjects", "items",
                                                     "values"};
    return names.contains(name);
}

void drop_empty(Json& value) {
    if (value.is_array()) {
        for (Json& item : value) drop_empty(item);
        return;
    }
    if (!value.is_object()) return;
    for (auto it = value.begin(); it != value.end();) {
        if (it->is_object() && is_string_map(it.key()))
            for (Json& text : *it)
                if (text.is_null()) text = "";
        drop_empty(it.value());
        const bool empty = it->is_null() || (it->is_array() && it->empty() && !is_kept_list(it.key())) ||
                           (it->is_object() && it->empty() && is_omitted_map(it.key()));
        it = empty ? value.erase(it) : std::next(it);
    }
}

void drop_unset(Json& object) {
    for (auto it = object.begin(); it != object.end();) {
        // managedFields name members by empty objects, and custom definitions hold schemas.
        if (it.key() == "metadata" && it->is_object()) {
            Json fields = it->contains("managedFields") ? (*it)["managedFields"] : Json();
            drop_empty(*it);
            if (!fields.is_null() && !fields.empty()) (*it)["managedFields"] = std::move(fields);
            ++it;
            continue;
        }
        Json holder = Json::object();
        holder[it.key()] = std::move(*it);
        drop_empty(holder);
        if (holder.empty()) {
            it = object.erase(it);
            continue;
        }
        *it = std::move(holder.begin().value());
        ++it;
    }
}

void canonical_list(Json& list) {
    if (!list.is_object()) return;
    for (Json& value : list) canonical_quantities(value);
}

void quantities_of(const Kind& kind, Json& object) {
    static constexpr std::string_view lists[] = {
        "spec.resources.limits", "spec.resources.requests", "spec.capacity", "status.capacity",
        "status.allocatable",    "spec.hard",               "overhead.podFixed"};
    if (kind.custom) return;
    for (std::string_view path : lists) {
        const auto dot = path.rfind('.');
        const std::string last(path.substr(dot + 1));
        for_each_at(object, path.substr(0, dot), [&last](Json& parent) {
            if (const auto found = parent.find(last); found != parent.end()) canonical_list(*found);
        });
    }
}

// stringData is write-only: it wins over data and is never stored.
void decode_string_data(Json& secret) {
    const auto found = secret.find("stringData");
    if (found == secret.end()) return;
    const Json strings = std::move(*found);
    secret.erase("stringData");
    if (!strings.is_object()) return;
    for (const auto& [key, value] : strings.items())
        if (value.is_string()) secret["data"][key] = encode_base64(value.get_ref<const std::string&>());
}

}  // namespace

void canonical_quantities(Json& value) {
    if (value.is_number()) {
        if (const auto quantity = Quantity::from_json(value)) value = quantity->canonical(dump_json(value));
        return;
    }
    if (!value.is_string()) return;
    const std::string text = value.get<std::string>();
    if (const auto quantity = Quantity::parse(text)) value = quantity->canonical(text);
}

void apply_rows(std::span<const DefaultRow> rows, Json& object) {
    for (const DefaultRow& row : rows) {
        const auto dot = row.path.rfind('.');
        const bool top = dot == std::string_view::npos;
        const std::string last(top ? row.path : row.path.substr(dot + 1));
        const Json& value = parsed_literal(row.value);
        for_each_at(object, top ? "" : row.path.substr(0, dot), [&](Json& parent) {
            if (!parent.contains(last)) parent[last] = value;
        });
    }
}

std::string_view pod_spec_path(const Kind& kind) {
    if (kind.kind == "Pod" && kind.group.empty()) return "spec";
    if (kind.kind == "PodTemplate") return "template.spec";
    if (kind.kind == "CronJob") return "spec.jobTemplate.spec.template.spec";
    static const std::set<std::string_view> owners = {"Job",         "Deployment", "ReplicaSet",
                                                      "StatefulSet", "DaemonSet",  "ReplicationController"};
    const bool owns = (kind.group == "apps" || kind.group == "batch" || kind.group.empty()) &&
                      owners.contains(kind.kind);
    return owns ? "spec.template.spec" : "";
}

// The Go struct's time has no empty form: it is stored as null.
static void show_probe_times(Json& pod) {
    if (!at_path(pod, "status.conditions").is_array()) return;
    for (Json& condition : pod["status"]["conditions"])
        if (condition.is_object() && !condition.contains("lastProbeTime"))
            condition["lastProbeTime"] = nullptr;
}

void default_builtin(const Kind& kind, Operation operation, Json& object) {
    if (kind.group == "apiextensions.k8s.io") return;
    drop_unset(object);
    if (kind.kind == "Secret") decode_string_data(object);
    quantities_of(kind, object);
    // What the server sets on creation needs a spec to sit in.
    if (const KindDefaults* defaults = kind_defaults(kind)) {
        apply_rows(defaults->rows, object);
        if (operation == Operation::create && !defaults->status.empty() && !object.contains("status"))
            object["status"] = parsed_literal(defaults->status);
    }
    if (const auto path = pod_spec_path(kind); !path.empty()) for_each_at(object, path, default_pod_spec);
    default_workload(kind, operation, object);
    if (kind.kind == "Pod") show_probe_times(object);
}

}  // namespace shed::admission
