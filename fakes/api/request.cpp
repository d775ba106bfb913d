// From a URL to a Request.
#include "fakes/api/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

bool equal_fold(std::string_view one, std::string_view lower) {
    return std::equal(one.begin(), one.end(), lower.begin(), lower.end(), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> segments;
    while (!path.empty() && path.front() == '/') path.remove_prefix(1);
    while (!path.empty()) {
        const auto slash = path.find('/');
        segments.emplace_back(path.substr(0, slash));
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    }
    return segments;
}

struct Place {
    std::string_view group, version;
    std::vector<std::string> rest;  // after the version
};

bool group_served(std::string_view group) {
    const auto kinds = all_kinds();
    return std::any_of(kinds.begin(), kinds.end(), [&](const Kind& k) { return k.group == group; });
}

// A group of custom resources has no handler for what it lacks; a built-in one answers in JSON.
Error unknown_resource(std::string_view group) {
    const auto kinds = all_kinds();
    const bool custom = std::any_of(kinds.begin(), kinds.end(), [&](const Kind& k) {
        return k.group == group && k.custom;
    });
    return custom || !group_served(group) ? page_not_found() : resource_not_found();
}

bool has_subresource(const Kind& kind, std::string_view name) {
    const auto names = subresources_of(kind);
    return std::find(names.begin(), names.end(), name) != names.end();
}

Result<Verb> verb_on_object(std::string_view method, const Kind& kind) {
    if (method == "GET") return Verb::get;
    if (method == "PUT") return Verb::update;
    if (method == "PATCH") return Verb::patch;
    if (method == "DELETE") return Verb::remove;
    // The handler of custom resources takes a POST to an object for one to its collection.
    if (method == "POST" && kind.custom) return Verb::create;
    return method_not_allowed();
}

Result<Verb> verb_on_collection(std::string_view method, const Kind& kind) {
    if (method == "GET") return Verb::list;
    if (method == "POST") return Verb::create;
    if (method == "DELETE" && kind.plural != "namespaces") return Verb::remove_collection;
    if (kind.custom && (method == "PUT" || method == "PATCH"))
        return bad_request("name must be provided");
    return method_not_allowed();
}

Error unsupported_verb(const Kind& kind) {
    Json details = {{"kind", kind.plural}, {"group", kind.group}};
    return {Reason::method_not_allowed,
            " is not supported on resources of kind \"" + kind.group_resource() + "\"",
            dump_json(details)};
}

Result<Verb> verb_on_subresource(std::string_view method, const Request& request) {
    const std::string& sub = request.subresource;
    const bool created = sub == "binding" || sub == "eviction" || sub == "token";
    const bool streamed = sub == "exec" || sub == "attach" || sub == "portforward";
    if (sub == "proxy" || streamed) {
        if (method == "GET") return Verb::get;
        if (method == "POST") return Verb::create;
        return method_not_allowed();
    }
    if (created) return method == "POST" ? Result<Verb>(Verb::create) : method_not_allowed();
    if (sub == "log") return method == "GET" ? Result<Verb>(Verb::get) : method_not_allowed();
    if (method == "GET" && sub != "finalize") return Verb::get;
    if (method == "PUT") return Verb::update;
    if (method == "PATCH" && sub != "finalize") return Verb::patch;
    return method_not_allowed();
}

// namespaces/x/pods is a collection in x; namespaces/x and namespaces/x/status are about x itself.
bool names_a_namespaced_resource(const std::vector<std::string>& rest) {
    return rest.size() >= 3 && rest[0] == "namespaces" && rest[2] != "status" &&
           rest[2] != "finalize";
}

Result<void> resolve(Request& request, const Place& place, std::size_t& depth) {
    auto rest = place.rest;
    const bool in_namespace = names_a_namespaced_resource(rest);
    if (in_namespace) {
        request.ns = rest[1];
        rest.erase(rest.begin(), rest.begin() + 2);
    }
    if (rest.empty()) return unknown_resource(place.group);
    request.kind = find_kind(place.group, place.version, rest[0]);
    if (request.kind == nullptr) return unknown_resource(place.group);
    const Kind& kind = *request.kind;
    if (in_namespace && !kind.namespaced) return unknown_resource(place.group);
    if (rest.size() > 1) request.name = rest[1];
    if (rest.size() > 2) request.subresource = rest[2];
    depth = rest.size();
    if (kind.namespaced && !in_namespace && depth > 1) return unknown_resource(place.group);
    return {};
}

Result<Verb> verb_of(std::string_view method, const Request& request, std::size_t depth) {
    const Kind& kind = *request.kind;
    const bool known = method == "GET" || method == "POST" || method == "PUT" ||
                       method == "PATCH" || method == "DELETE" || method == "HEAD";
    if (!known) return kind.custom ? unsupported_verb(kind) : method_not_allowed();
    if (method == "HEAD") method = "GET";
    if (depth > 2) {
        if (!has_subresource(kind, request.subresource))
            return kind.custom ? not_found(kind, request.name) : resource_not_found();
        return verb_on_subresource(method, request);
    }
    if (kind.create_only) {
        if (method == "POST" && depth == 1) return Verb::create;
        return depth == 1 ? method_not_allowed() : resource_not_found();
    }
    if (depth == 2) return verb_on_object(method, kind);
    if (kind.namespaced && request.ns.empty() && method != "GET")
        return kind.custom ? page_not_found() : method_not_allowed();
    return verb_on_collection(method, kind);
}

std::optional<Place> place_of(const std::vector<std::string>& segments) {
    if (segments.size() >= 2 && segments[0] == "api")
        return Place{"", segments[1], {segments.begin() + 2, segments.end()}};
    if (segments.size() >= 3 && segments[0] == "apis")
        return Place{segments[1], segments[2], {segments.begin() + 3, segments.end()}};
    return std::nullopt;
}

bool is_discovery_path(const std::vector<std::string>& segments) {
    if (segments.empty()) return false;
    const std::string& first = segments[0];
    if (first == "api") return segments.size() <= 2;
    if (first == "apis") return segments.size() <= 3;
    return first == "version" || first == "openapi" || first == "healthz" || first == "livez" ||
           first == "readyz";
}

}  // namespace

std::string_view Request::parameter(std::string_view wanted) const {
    // The keys are std::string: a transparent comparison is not to be had from the contract's map.
    for (auto& [key, value] : query)
        if (key == wanted) return value;
    return {};
}

bool Request::flag(std::string_view wanted) const {
    // As apimachinery converts query parameters: anything but 0 and false is true.
    for (auto& [key, value] : query)
        if (key == wanted) return value != "0" && !equal_fold(value, "false");
    return false;
}

Result<Request> parse_path(std::string_view method, std::string_view path,
                           std::multimap<std::string, std::string> query) {
    const auto segments = segments_of(path);
    const auto place = place_of(segments);
    if (!place || place->rest.empty()) {
        if (is_discovery_path(segments) && method != "GET") return method_not_allowed();
        return page_not_found();
    }
    if (segments[0] == "api" && place->version != "v1") return page_not_found();
    Request request;
    request.query = std::move(query);
    std::size_t depth = 0;
    if (auto resolved = resolve(request, *place, depth); !resolved) return resolved.error();
    if (depth > 3 && request.subresource != "proxy") return unknown_resource(place->group);
    const auto verb = verb_of(method, request, depth);
    if (!verb) return verb.error();
    request.verb = *verb;
    if (request.verb == Verb::list && request.flag("watch")) request.verb = Verb::watch;
    if (request.verb == Verb::create && request.subresource.empty()) request.name.clear();
    return request;
}

}  // namespace shed
