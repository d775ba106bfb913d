// What is served: /version, /api, /apis and their aggregated form.
#include "fakes/api/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* version_document =
    R"({"major":"1","minor":"36","emulationMajor":"1","emulationMinor":"36",)"
    R"("minCompatibilityMajor":"1","minCompatibilityMinor":"35","gitVersion":"v1.36.3",)"
    R"("gitCommit":"trainshed","gitTreeState":"clean","buildDate":"2026-08-01T00:00:00Z",)"
    R"("goVersion":"go1.26.8","compiler":"gc","platform":"linux/amd64"})";

struct GroupVersion {
    std::string_view group, version;
    std::string text() const {
        return group.empty() ? std::string(version)
                             : std::string(group) + "/" + std::string(version);
    }
};

std::vector<GroupVersion> group_versions() {
    std::vector<GroupVersion> result;
    for (const Kind& kind : all_kinds()) {
        const bool known = std::any_of(result.begin(), result.end(), [&](const GroupVersion& gv) {
            return gv.group == kind.group && gv.version == kind.version;
        });
        if (!known) result.push_back({kind.group, kind.version});
    }
    return result;
}

std::vector<const Kind*> kinds_of(std::string_view group, std::string_view version) {
    std::vector<const Kind*> kinds;
    for (const Kind& kind : all_kinds())
        if (kind.group == group && kind.version == version) kinds.push_back(&kind);
    std::sort(kinds.begin(), kinds.end(),
              [](const Kind* a, const Kind* b) { return a->plural < b->plural; });
    return kinds;
}

std::vector<std::string> split_names(std::string_view text) {
    std::vector<std::string> names;
    while (!text.empty()) {
        const auto comma = text.find(',');
        names.emplace_back(text.substr(0, comma));
        text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
    return names;
}

std::vector<std::string> verbs_of(const Kind& kind) {
    if (kind.create_only) return {"create"};
    if (kind.custom)
        return {"delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"};
    if (kind.group.empty() && kind.plural == "namespaces")
        return {"create", "delete", "get", "list", "patch", "update", "watch"};
    return {"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"};
}

struct Subresource {
    std::string_view name, group, version, kind;  // empty group and version: the parent's
    std::vector<std::string> verbs;
};

std::vector<Subresource> described_subresources(const Kind& kind) {
    std::vector<Subresource> result;
    for (std::string_view name : subresources_of(kind)) {
        if (name == "binding") result.push_back({name, "", "", "Binding", {"create"}});
        else if (name == "eviction") result.push_back({name, "policy", "v1", "Eviction", {"create"}});
        else if (name == "token")
            result.push_back({name, "authentication.k8s.io", "v1", "TokenRequest", {"create"}});
        else if (name == "finalize") result.push_back({name, "", "", kind.kind, {"update"}});
        else if (name == "log") result.push_back({name, "", "", kind.kind, {"get"}});
        else if (name == "scale")
            result.push_back({name, "autoscaling", "v1", "Scale", {"get", "patch", "update"}});
        else if (name == "status" || name == "ephemeralcontainers")
            result.push_back({name, "", "", kind.kind, {"get", "patch", "update"}});
        else if (name == "proxy")
            result.push_back({name, "", "", "PodProxyOptions", {"create", "get"}});
        else if (name == "exec") result.push_back({name, "", "", "PodExecOptions", {"create", "get"}});
        else if (name == "attach")
            result.push_back({name, "", "", "PodAttachOptions", {"create", "get"}});
        else result.push_back({name, "", "", "PodPortForwardOptions", {"create", "get"}});
    }
    return result;
}

void add_names(OrderedJson& resource, const Kind& kind) {
    if (!kind.short_names.empty()) resource["shortNames"] = split_names(kind.short_names);
    if (!kind.categories.empty()) resource["categories"] = split_names(kind.categories);
}

OrderedJson resource_list(std::string_view group, std::string_view version) {
    OrderedJson list = {{"kind", "APIResourceList"}};
    if (!group.empty()) list["apiVersion"] = "v1";
    list["groupVersion"] = GroupVersion{group, version}.text();
    OrderedJson resources = OrderedJson::array();
    for (const Kind* kind : kinds_of(group, version)) {
        OrderedJson resource = {{"name", kind->plural},
                                {"singularName", kind->singular},
                                {"namespaced", kind->namespaced},
                                {"kind", kind->kind},
                                {"verbs", verbs_of(*kind)}};
        add_names(resource, *kind);
        resources.push_back(std::move(resource));
        for (const Subresource& sub : described_subresources(*kind)) {
            OrderedJson entry = {{"name", std::string(kind->plural) + "/" + std::string(sub.name)},
                                 {"singularName", ""},
                                 {"namespaced", kind->namespaced}};
            if (!sub.group.empty()) {
                entry["group"] = sub.group;
                entry["version"] = sub.version;
            }
            entry["kind"] = sub.kind;
            entry["verbs"] = sub.verbs;
            resources.push_back(std::move(entry));
        }
    }
    list["resources"] = std::move(resources);
    return list;
}

OrderedJson response_kind(const Kind& kind, const Subresource* sub) {
    // Empty means the same as the parent's; custom resources say theirs.
    std::string_view group = kind.custom ? kind.group : std::string_view();
    std::string_view version = kind.custom ? kind.version : std::string_view();
    if (sub != nullptr && !sub->group.empty()) {
        group = sub->group;
        version = sub->version;
    }
    return {{"group", group}, {"version", version}, {"kind", sub != nullptr ? sub->kind : kind.kind}};
}

OrderedJson aggregated_version(const GroupVersion& gv) {
    OrderedJson resources = OrderedJson::array();
    for (const Kind* kind : kinds_of(gv.group, gv.version)) {
        OrderedJson resource = {{"resource", kind->plural},
                                {"responseKind", response_kind(*kind, nullptr)},
                                {"scope", kind->namespaced ? "Namespaced" : "Cluster"},
                                {"singularResource", kind->singular},
                                {"verbs", verbs_of(*kind)}};
        add_names(resource, *kind);
        OrderedJson subresources = OrderedJson::array();
        for (const Subresource& sub : described_subresources(*kind))
            subresources.push_back({{"subresource", sub.name},
                                    {"responseKind", response_kind(*kind, &sub)},
                                    {"verbs", sub.verbs}});
        if (!subresources.empty()) resource["subresources"] = std::move(subresources);
        resources.push_back(std::move(resource));
    }
    return {{"version", gv.version}, {"resources", std::move(resources)}, {"freshness", "Current"}};
}

OrderedJson aggregated(bool core, std::string_view version) {
    OrderedJson items = OrderedJson::array();
    for (const GroupVersion& gv : group_versions()) {
        if (gv.group.empty() != core) continue;
        OrderedJson metadata = OrderedJson::object();
        if (!core) metadata["name"] = gv.group;
        items.push_back({{"metadata", std::move(metadata)},
                         {"versions", OrderedJson::array({aggregated_version(gv)})}});
    }
    return {{"kind", "APIGroupDiscoveryList"},
            {"apiVersion", "apidiscovery.k8s.io/" + std::string(version)},
            {"metadata", OrderedJson::object()},
            {"items", std::move(items)}};
}

OrderedJson group_document(const GroupVersion& gv, bool alone) {
    const OrderedJson version = {{"groupVersion", gv.text()}, {"version", gv.version}};
    OrderedJson group = OrderedJson::object();
    if (alone) {
        group["kind"] = "APIGroup";
        group["apiVersion"] = "v1";
    }
    group["name"] = gv.group;
    group["versions"] = OrderedJson::array({version});
    group["preferredVersion"] = version;
    return group;
}

OrderedJson core_versions() {
    const OrderedJson address = {{"clientCIDR", "0.0.0.0/0"}, {"serverAddress", "127.0.0.1:6443"}};
    return {{"kind", "APIVersions"},
            {"versions", OrderedJson::array({"v1"})},
            {"serverAddressByClientCIDRs", OrderedJson::array({address})}};
}

OrderedJson group_list() {
    OrderedJson groups = OrderedJson::array();
    for (const GroupVersion& gv : group_versions())
        if (!gv.group.empty()) groups.push_back(group_document(gv, false));
    return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

Response json_answer(const OrderedJson& document) {
    Response response;
    response.body = document.dump() + "\n";
    return response;
}

Response text_answer(std::string text) {
    Response response;
    response.content_type = "text/plain; charset=utf-8";
    response.body = std::move(text);
    return response;
}

Response aggregated_answer(bool core, std::string_view version, std::string_view if_none_match) {
    Response response = json_answer(aggregated(core, version));
    response.content_type = "application/json;g=apidiscovery.k8s.io;v=" + std::string(version) +
                            ";as=APIGroupDiscoveryList";
    char tag[40];
    std::snprintf(tag, sizeof tag, "\"%016llX\"",
                  static_cast<unsigned long long>(hash_text(response.body)));
    response.headers = {{"ETag", tag}, {"Vary", "Accept"}};
    if (if_none_match != tag) return response;
    response.status = 304;
    response.body.clear();
    return response;
}

std::optional<Response> versioned_answer(std::string_view group, std::string_view version) {
    if (kinds_of(group, version).empty()) return std::nullopt;
    return json_answer(resource_list(group, version));
}

std::optional<Response> groups_answer(std::string_view rest) {
    const auto slash = rest.find('/');
    const std::string_view group = rest.substr(0, slash);
    if (slash != std::string_view::npos) return versioned_answer(group, rest.substr(slash + 1));
    for (const GroupVersion& gv : group_versions())
        if (gv.group == group) return json_answer(group_document(gv, true));
    return std::nullopt;
}

}  // namespace

std::optional<Response> Api::Impl::discovery(std::string_view path, std::string_view accept,
                                             std::string_view if_none_match) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    if (path == "/version") {
        Response response;
        response.body = version_document;
        return response;
    }
    if (path == "/healthz" || path == "/livez" || path == "/readyz") return text_answer("ok");
    if (path == "/api" || path == "/apis") {
        const DiscoveryForm form = negotiate_discovery(accept);
        const bool core = path == "/api";
        if (!form.version.empty()) return aggregated_answer(core, form.version, if_none_match);
        return json_answer(core ? core_versions() : group_list());
    }
    if (path == "/api/v1") return versioned_answer("", "v1");
    if (path.starts_with("/apis/")) return groups_answer(path.substr(6));
    if (auto issuer = issuer_document(path)) return issuer;
    if (path.starts_with("/openapi/")) return openapi_document(path, if_none_match);
    return std::nullopt;
}

}  // namespace shed
