// OpenAPI v3, as far as kubectl looks: which kinds take PATCH with fieldValidation, and what their members are.
#include "fakes/types/types.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

Json gvk_of(const Kind& kind) {
    return {{"group", kind.group}, {"version", kind.version}, {"kind", kind.kind}};
}

std::string schema_name(const Kind& kind) {
    std::string name;
    // Groups are written backwards, as in Go package names: io.k8s.api.core.v1.Pod.
    if (kind.group.empty()) name = "io.k8s.api.core.";
    else if (kind.group.ends_with(".k8s.io") || kind.group.find('.') == std::string_view::npos)
        name = "io.k8s.api." + std::string(kind.group.substr(0, kind.group.find('.'))) + ".";
    else name = std::string(kind.group) + ".";
    return name + std::string(kind.version) + "." + std::string(kind.kind);
}

Json query_parameter(const char* name) {
    return {{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}, {"uniqueItems", true}}}};
}

Json operation(const Kind& kind, const char* action, const std::string& reference) {
    return {{"operationId", std::string(action) + std::string(kind.kind)},
            {"x-kubernetes-action", action},
            {"x-kubernetes-group-version-kind", gvk_of(kind)},
            {"parameters",
             {query_parameter("dryRun"), query_parameter("fieldManager"), query_parameter("fieldValidation"),
              query_parameter("force")}},
            {"responses",
             {{"200",
               {{"description", "OK"},
                {"content", {{"application/json", {{"schema", {{"$ref", reference}}}}}}}}}}}};
}

}  // namespace

std::string openapi_v3(std::string_view group, std::string_view version) {
    Json paths = Json::object(), schemas = Json::object();
    const std::string base = group.empty() ? "/api/" + std::string(version)
                                           : "/apis/" + std::string(group) + "/" + std::string(version);
    for (const Kind& kind : all_kinds()) {
        if (kind.group != group || kind.version != version) continue;
        const std::string name = schema_name(kind), reference = "#/components/schemas/" + name;
        schemas[name] = {
            {"type", "object"},
            {"x-kubernetes-group-version-kind", Json::array({gvk_of(kind)})},
            {"x-kubernetes-preserve-unknown-fields", true},
            {"properties",
             {{"apiVersion", {{"type", "string"}}},
              {"kind", {{"type", "string"}}},
              {"metadata", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}},
              {"spec", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}},
              {"status", {{"type", "object"}, {"x-kubernetes-preserve-unknown-fields", true}}}}}};
        const std::string collection =
            base + (kind.namespaced ? "/namespaces/{namespace}/" : "/") + std::string(kind.plural);
        paths[collection]["post"] = operation(kind, "post", reference);
        if (kind.create_only) continue;
        paths[collection]["get"] = operation(kind, "list", reference);
        for (const char* verb : {"get", "put", "patch", "delete"})
            paths[collection + "/{name}"][verb] = operation(kind, verb, reference);
    }
    const Json document = {{"openapi", "3.0.0"},
                           {"info", {{"title", "Kubernetes"}, {"version", "v1.36.3"}}},
                           {"paths", std::move(paths)},
                           {"components", {{"schemas", std::move(schemas)}}}};
    return dump_json(document);
}

}  // namespace shed
