// The OpenAPI v3 document of a group version: its kinds' schemas with all they refer to, and one
// path per kind and scope. Of the operations clients read the PATCH: whether it knows
// fieldValidation and strategic merge.
#include "fakes/types/openapi.hpp"

#include <map>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view meta = "io.k8s.apimachinery.pkg.apis.meta.v1.";

Json gvk_of(const Kind& kind, std::string_view name) {
    return {{"group", kind.group}, {"version", kind.version}, {"kind", name}};
}

Json query_parameter(const char* name, const char* type) {
    return {{"name", name}, {"in", "query"}, {"schema", {{"type", type}, {"uniqueItems", true}}}};
}

Json path_parameter(const char* name) {
    return {{"name", name},
            {"in", "path"},
            {"required", true},
            {"schema", {{"type", "string"}, {"uniqueItems", true}}}};
}

Json content(const std::vector<const char*>& types, const std::string& schema) {
    Json by_type = Json::object();
    for (const char* type : types)
        by_type[type]["schema"]["$ref"] = "#/components/schemas/" + schema;
    return by_type;
}

// How the real server spells the verbs in operation ids.
const char* verb_in_id(std::string_view verb) {
    if (verb == "post") return "create";
    if (verb == "put") return "replace";
    return verb == "get" ? "read" : nullptr;
}

class Operations {
public:
    Operations(const Kind& kind, std::string schema) : kind_(kind), schema_(std::move(schema)) {}

    Json make(const char* verb, const std::string& suffix = "") const {
        const std::string name = verb_in_id(verb) != nullptr ? verb_in_id(verb) : verb;
        Json operation = {{"operationId", name + id() + suffix},
                          {"x-kubernetes-action", verb},
                          {"x-kubernetes-group-version-kind", gvk_of(kind_, kind_.kind)}};
        const bool deletes = std::string_view(verb) == "delete";
        Json& ok = operation["responses"]["200"];
        ok["description"] = "OK";
        const std::string answer = deletes ? std::string(meta) + "Status" : schema_;
        if (std::string_view(verb) != "list") ok["content"] = content({"application/json"}, answer);
        if (Json parameters = parameters_of(verb); !parameters.empty())
            operation["parameters"] = std::move(parameters);
        if (Json body = body_of(verb); !body.empty())
            operation["requestBody"] = {{"content", std::move(body)}};
        return operation;
    }

private:
    std::string id() const {
        std::string group(kind_.group.substr(0, kind_.group.find('.')));
        if (group.empty()) group = "core";
        std::string version(kind_.version);
        group.front() = static_cast<char>(std::toupper(group.front()));
        version.front() = static_cast<char>(std::toupper(version.front()));
        return group + version + (kind_.namespaced ? "Namespaced" : "") + std::string(kind_.kind);
    }

    static Json parameters_of(std::string_view verb) {
        Json parameters = Json::array();
        const auto add = [&](const char* name, const char* type = "string") {
            parameters.push_back(query_parameter(name, type));
        };
        if (verb == "get") return parameters;
        if (verb == "list") {
            for (const char* name : {"continue", "fieldSelector", "labelSelector",
                                     "resourceVersion", "resourceVersionMatch"})
                add(name);
            for (const char* name : {"allowWatchBookmarks", "sendInitialEvents", "watch"})
                add(name, "boolean");
            for (const char* name : {"limit", "timeoutSeconds"}) add(name, "integer");
            return parameters;
        }
        add("dryRun");
        if (verb == "delete") {
            add("gracePeriodSeconds", "integer");
            add("orphanDependents", "boolean");
            add("propagationPolicy");
            return parameters;
        }
        add("fieldManager");
        add("fieldValidation");
        if (verb == "patch") add("force", "boolean");
        return parameters;
    }

    Json body_of(std::string_view verb) const {
        if (verb == "post" || verb == "put") return content({"*/*"}, schema_);
        if (verb == "delete") return content({"*/*"}, std::string(meta) + "DeleteOptions");
        if (verb != "patch") return Json();
        std::vector<const char*> types = {"application/apply-patch+yaml",
                                          "application/json-patch+json",
                                          "application/merge-patch+json"};
        if (!kind_.custom) types.push_back("application/strategic-merge-patch+json");
        return content(types, std::string(meta) + "Patch");
    }

    const Kind& kind_;
    std::string schema_;
};

void add_paths(const Kind& kind, const std::string& base, Texts& paths) {
    const Operations operations(kind, schema_name(kind));
    const std::string plural(kind.plural);
    const std::string collection =
        base + (kind.namespaced ? "/namespaces/{namespace}/" : "/") + plural;
    Json place = Json::array();
    if (kind.namespaced) place.push_back(path_parameter("namespace"));
    Json all = {{"parameters", place}, {"post", operations.make("post")}};
    if (kind.create_only) {
        paths.emplace_back(collection, dump_json(all));
        return;
    }
    all["get"] = operations.make("list");
    paths.emplace_back(collection, dump_json(all));
    place.push_back(path_parameter("name"));
    Json one = {{"parameters", place}}, status = one;
    for (const char* verb : {"get", "put", "patch", "delete"}) one[verb] = operations.make(verb);
    paths.emplace_back(collection + "/{name}", dump_json(one));
    if (!kind.has_status) return;
    for (const char* verb : {"get", "put", "patch"}) status[verb] = operations.make(verb, "Status");
    paths.emplace_back(collection + "/{name}/status", dump_json(status));
}

struct Cached {
    std::string text;
    std::set<std::string> uses;
};

// Most documents share most of their schemas, so each is written once.
const Cached& shared_schema(const std::string& name) {
    static std::map<std::string, Cached> cache;
    const auto [at, fresh] = cache.try_emplace(name);
    if (!fresh) return at->second;
    if (const Type* type = find_type(name); type != nullptr)
        at->second.text = json_object(schema_of_type(*type, at->second.uses));
    else at->second.text = special_schema(name);
    return at->second;
}

class Document {
public:
    Document(std::string_view group, std::string_view version) : group_(group), version_(version) {
        const std::string base = group.empty()
                                     ? "/api/" + std::string(version)
                                     : "/apis/" + std::string(group) + "/" + std::string(version);
        Texts paths;
        for (const Kind& kind : all_kinds()) {
            if (kind.group != group || kind.version != version) continue;
            add_root(kind);
            add_paths(kind, base, paths);
            changeable_ |= !kind.create_only;
        }
        if (changeable_) {
            add_options();
            for (const char* name : {"Status", "Patch"}) add(std::string(meta) + name);
        }
        const Texts components = {{"schemas", json_object(schemas_)}};
        const Json info = {{"title", "Kubernetes"}, {"version", "v1.36.3"}};
        text_ = json_object({{"openapi", "\"3.0.0\""},
                             {"info", dump_json(info)},
                             {"paths", json_object(paths)},
                             {"components", json_object(components)}});
    }

    std::string text() && { return std::move(text_); }

private:
    void add_root(const Kind& kind) {
        std::set<std::string> uses;
        const Type* type = type_of(kind.api_version(), kind.kind);
        Texts schema = kind.custom ? schema_of_custom(kind, uses) : schema_of_type(*type, uses);
        const Json gvks = Json::array({gvk_of(kind, kind.kind)});
        schema.emplace_back("x-kubernetes-group-version-kind", dump_json(gvks));
        known_.insert(schema_name(kind));
        schemas_.emplace_back(schema_name(kind), json_object(schema));
        for (const std::string& name : uses) add(name);
    }

    // DeleteOptions is a kind of every group version.
    void add_options() {
        const std::string name = std::string(meta) + "DeleteOptions";
        std::set<std::string> uses;
        Texts schema = schema_of_type(*find_type(name), uses);
        Json gvks = Json::array({{{"group", ""}, {"version", "v1"}, {"kind", "DeleteOptions"}}});
        if (!group_.empty())
            gvks.push_back({{"group", group_}, {"version", version_}, {"kind", "DeleteOptions"}});
        schema.emplace_back("x-kubernetes-group-version-kind", dump_json(gvks));
        known_.insert(name);
        schemas_.emplace_back(name, json_object(schema));
        for (const std::string& used : uses) add(used);
    }

    void add(const std::string& name) {
        if (!known_.insert(name).second) return;
        const Cached& schema = shared_schema(name);
        schemas_.emplace_back(name, schema.text);
        for (const std::string& used : schema.uses) add(used);
    }

    std::string_view group_, version_;
    bool changeable_ = false;  // some kind can be patched and deleted
    std::set<std::string> known_;
    Texts schemas_;
    std::string text_;
};

}  // namespace

std::string openapi_v3(std::string_view group, std::string_view version) {
    return Document(group, version).text();
}

}  // namespace shed
