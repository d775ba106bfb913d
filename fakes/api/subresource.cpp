// Subresources other than status and token: binding, eviction, finalize, scale.
#include "fakes/api/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

Json success(int code) {
    return {{"kind", "Status"},
            {"apiVersion", "v1"},
            {"metadata", Json::object()},
            {"status", "Success"},
            {"code", code}};
}

Error binding_conflict(const std::string& pod, const std::string& why) {
    const Json details = {{"name", pod}, {"kind", "pods/binding"}};
    return {Reason::conflict,
            "Operation cannot be fulfilled on pods/binding \"" + pod + "\": " + why,
            dump_json(details)};
}

void set_condition(Json& object, const Json& condition) {
    Json& conditions = object["status"]["conditions"];
    if (!conditions.is_array()) conditions = Json::array();
    for (Json& existing : conditions) {
        if (string_at(existing, "type") != string_at(condition, "type")) continue;
        existing = condition;
        return;
    }
    conditions.push_back(condition);
}

void merge_annotations(Json& pod, const Json& binding) {
    const Json& annotations = at_path(binding, "metadata.annotations");
    if (!annotations.is_object()) return;
    for (const auto& [name, value] : annotations.items())
        pod["metadata"]["annotations"][name] = value;
}

}  // namespace

bool has_scale(const Kind& kind) {
    return kind.plural == "deployments" || kind.plural == "replicasets" ||
           kind.plural == "statefulsets";
}

std::vector<std::string_view> subresources_of(const Kind& kind) {
    std::vector<std::string_view> names;
    if (kind.group.empty() && kind.plural == "pods")
        names = {"attach", "binding",     "ephemeralcontainers", "eviction", "exec",
                 "log",    "portforward", "proxy"};
    if (kind.group.empty() && kind.plural == "serviceaccounts") names = {"token"};
    if (kind.group.empty() && kind.plural == "namespaces") names = {"finalize"};
    if (has_scale(kind)) names = {"scale"};
    if (kind.has_status) names.push_back("status");
    return names;
}

Result<ObjectPtr> Api::Impl::bind(const Request& request, const Json& body, Time now) {
    static const Kind& pods = kind_of("v1", "Pod");
    const std::string name = request.name.empty() ? string_at(body, "metadata.name") : request.name;
    const std::string node = string_at(body, "target.name");
    if (node.empty()) return plain_internal("target.name: Required value");
    const ObjectPtr live = store.find({&pods, request.ns, name});
    if (!live) return not_found(pods, name);
    if (store.full()) return *store.full();
    const std::string bound = string_at(live->dom(), "spec.nodeName");
    if (live->deleting())
        return binding_conflict(name, "pod " + name + " is being deleted, cannot be assigned to a host");
    if (!bound.empty())
        return binding_conflict(name,
                                "pod " + name + " is already assigned to node \"" + bound + "\"");
    Json pod = live->dom();
    pod["spec"]["nodeName"] = node;
    merge_annotations(pod, body);
    const Json scheduled = {{"type", "PodScheduled"},
                            {"status", "True"},
                            {"lastProbeTime", nullptr},
                            {"lastTransitionTime", format_time(now)}};
    set_condition(pod, scheduled);
    if (!request.parameter("dryRun").empty()) return live;
    return store.put(std::move(pod));
}

Result<Json> Api::Impl::evict(const Request& request, const Json& body, Time now) {
    Request deletion = request;
    deletion.verb = Verb::remove;
    deletion.subresource.clear();
    const Json& options = member(body, "deleteOptions");
    auto removed = remove(deletion, options.is_object() ? options : Json::object(), now);
    if (!removed) return removed.error();
    return success(201);
}

Result<ObjectPtr> Api::Impl::finalize_namespace(const Request& request, Json body, Time now) {
    static_cast<void>(now);
    static const Kind& namespaces = kind_of("v1", "Namespace");
    const ObjectPtr live = store.find({&namespaces, "", request.name});
    if (!live) return not_found(namespaces, request.name);
    const std::string version = string_at(body, "metadata.resourceVersion");
    if (!version.empty() && version != std::to_string(live->resource_version()))
        return conflict(namespaces, request.name);
    Json changed = live->dom();
    const Json& finalizers = at_path(body, "spec.finalizers");
    if (finalizers.empty()) changed["spec"].erase("finalizers");
    else changed["spec"]["finalizers"] = finalizers;
    if (live->deleting() && finalizers.empty() && live->finalizers().empty()) {
        store.remove(live->key());
        return Object::make(std::move(changed));
    }
    if (changed == live->dom()) return live;
    return store.put(std::move(changed));
}

Result<Json> Api::Impl::scale_of(const Request& request) {
    const ObjectPtr live = store.find({request.kind, request.ns, request.name});
    if (!live) return not_found(*request.kind, request.name);
    const Json& dom = live->dom();
    const Json& metadata = dom["metadata"];
    Json scale = {{"kind", "Scale"}, {"apiVersion", "autoscaling/v1"}};
    for (const char* name : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"})
        if (metadata.contains(name)) scale["metadata"][name] = metadata[name];
    scale["spec"] = {{"replicas", int_at(dom, "spec.replicas", 1)}};
    std::string selector;
    if (const Json& labels = at_path(dom, "spec.selector.matchLabels"); labels.is_object()) {
        for (const auto& [name, value] : labels.items())
            selector += (selector.empty() ? "" : ",") + name + "=" +
                        (value.is_string() ? value.get<std::string>() : std::string());
    }
    scale["status"] = {{"replicas", int_at(dom, "status.replicas")}, {"selector", selector}};
    return scale;
}

Result<Json> Api::Impl::write_scale(const Request& request, const Json& body, Time now,
                                    Warnings warnings) {
    const ObjectPtr live = store.find({request.kind, request.ns, request.name});
    if (!live) return not_found(*request.kind, request.name);
    const Json& replicas = at_path(body, "spec.replicas");
    if (!replicas.is_null() && (!replicas.is_number_integer() || replicas.get<std::int64_t>() < 0))
        return bad_request("Scale in version \"v1\" cannot be handled as a Scale: spec.replicas must be "
                           "a non-negative integer");
    Json changed = live->dom();
    if (replicas.is_number_integer()) changed["spec"]["replicas"] = replicas;
    const std::string version = string_at(body, "metadata.resourceVersion");
    if (!version.empty()) changed["metadata"]["resourceVersion"] = version;
    Request plain = request;
    plain.subresource = "scale";
    auto written = replace(plain, live, std::move(changed), Write::patch, now, warnings);
    if (!written) return written.error();
    return scale_of(request);
}

Result<Json> Api::Impl::create_subresource(const Request& request, Json body, Time now) {
    if (request.kind->plural == "bindings" || request.subresource == "binding") {
        auto bound = bind(request, body, now);
        if (!bound) return bound.error();
        return success(201);
    }
    if (request.subresource == "eviction") return evict(request, body, now);
    if (request.subresource == "token") return request_token(request, std::move(body), now);
    return resource_not_found();
}

}  // namespace shed
