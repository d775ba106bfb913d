#include "fakes/apiserver/metrics.hpp"

#include "fakes/base/rng.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view group_path = "/apis/metrics.k8s.io";
constexpr const char* group_version = "metrics.k8s.io/v1beta1";

std::vector<std::string> segments_of(std::string_view path) {
    std::vector<std::string> parts;
    while (!path.empty()) {
        const auto slash = std::min(path.find('/'), path.size());
        if (slash > 0) parts.emplace_back(path.substr(0, slash));
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return parts;
}

// As resource.Quantity writes it: the largest unit that leaves a whole number.
std::string whole_units(std::int64_t value, std::int64_t step,
                        const std::vector<const char*>& units) {
    std::size_t unit = 0;
    while (value != 0 && unit + 1 < units.size() && value % step == 0) {
        value /= step;
        ++unit;
    }
    return value == 0 ? "0" : std::to_string(value) + units[unit];
}

std::string cpu_text(std::int64_t nanocores) {
    return whole_units(nanocores, 1000, {"n", "u", "m", ""});
}

std::string memory_text(std::int64_t bytes) {
    return whole_units(bytes, 1024, {"", "Ki", "Mi", "Gi", "Ti"});
}

// Go's time.Duration.String, to the millisecond: "15.034s", "1m5s".
std::string duration_text(Duration duration) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    if (ms != 0 && ms < 1000) return std::to_string(ms) + "ms";
    std::string text;
    if (ms >= 3'600'000) text += std::to_string(ms / 3'600'000) + "h";
    if (ms >= 60'000) text += std::to_string(ms / 60'000 % 60) + "m";
    text += std::to_string(ms / 1000 % 60);
    if (ms % 1000 == 0) return text + "s";
    std::string fraction = std::to_string(1000 + ms % 1000).substr(1);
    while (fraction.back() == '0') fraction.pop_back();
    return text + "." + fraction + "s";
}

Json usage_json(std::int64_t nanocores, std::int64_t bytes) {
    return {{"cpu", cpu_text(nanocores)}, {"memory", memory_text(bytes)}};
}

Json metrics_json(const char* kind, const Object& of, Duration window, Time now) {
    Json item = {{"kind", kind},
                 {"apiVersion", group_version},
                 {"timestamp", format_time(now)},
                 {"window", duration_text(window)}};
    item["metadata"] = {{"name", of.name()}, {"creationTimestamp", format_time(now)}};
    if (!of.ns().empty()) item["metadata"]["namespace"] = of.ns();
    for (const auto& [name, value] : of.labels()) item["metadata"]["labels"][name] = value;
    return item;
}

class Metrics {
public:
    Metrics(const Store& store, PodMetrics& source, const Target& target, Time now)
        : store_(store), target_(target), now_(now) {
        for (PodMetrics::Pod& pod : source.usage()) usage_[pod.uid] = std::move(pod);
    }

    Result<Json> answer(const std::vector<std::string>& path) const {
        if (path.size() == 1 && path[0] == "nodes") return list(nodes(), "NodeMetrics", "");
        if (path.size() == 1 && path[0] == "pods") return list(pods(), "PodMetrics", "");
        const bool namespaced = path.size() >= 3 && path[0] == "namespaces" && path[2] == "pods";
        if (namespaced && path.size() == 3) return list(pods(), "PodMetrics", path[1]);
        if (namespaced && path.size() == 4) return one(pods(), "podmetrics", path[1], path[3]);
        if (path.size() == 2 && path[0] == "nodes") return one(nodes(), "nodemetrics", "", path[1]);
        return Error{Reason::not_found, "the server could not find the requested resource"};
    }

private:
    static const Kind& pods() { return kind_of("v1", "Pod"); }
    static const Kind& nodes() { return kind_of("v1", "Node"); }

    std::string parameter(const char* name) const {
        const auto found = target_.query.find(name);
        return found == target_.query.end() ? std::string() : found->second;
    }

    Result<Json> list(const Kind& of, const std::string& kind, const std::string& ns) const {
        const auto labels = LabelSelector::parse(parameter("labelSelector"));
        if (!labels) return labels.error();
        const auto fields = FieldSelector::parse(parameter("fieldSelector"), of);
        if (!fields) return fields.error();
        Json items = Json::array();
        for (const ObjectPtr& object : store_.list(of, ns)) {
            if (!labels->matches(*object) || !fields->matches(*object)) continue;
            auto item = metrics_of(*object);
            if (!item) continue;
            item->erase("kind");  // as in every list of the API
            item->erase("apiVersion");
            items.push_back(std::move(*item));
        }
        return Json{{"kind", kind + "List"},
                    {"apiVersion", group_version},
                    {"metadata", Json::object()},
                    {"items", std::move(items)}};
    }

    Result<Json> one(const Kind& of, const std::string& resource, const std::string& ns,
                     const std::string& name) const {
        const ObjectPtr object = store_.find(Key{&of, ns, name});
        if (!object) return not_found(of, name);
        auto item = metrics_of(*object);
        if (item) return std::move(*item);
        const std::string full = ns.empty() ? name : ns + "/" + name;
        return Error{Reason::not_found, resource + ".metrics.k8s.io \"" + full + "\" not found"};
    }

    std::optional<Json> metrics_of(const Object& object) const {
        return object.kind().kind == "Pod" ? metrics_of_pod(object)
                                           : std::optional<Json>(metrics_of_node(object));
    }

    std::optional<Json> metrics_of_pod(const Object& pod) const {
        const auto known = usage_.find(pod.uid());
        if (known == usage_.end() || string_at(pod.dom(), "status.phase") != "Running")
            return std::nullopt;
        Json item = metrics_json("PodMetrics", pod, known->second.window, now_);
        item["containers"] = Json::array();
        for (const PodMetrics::Container& used : known->second.containers)
            item["containers"].push_back(
                {{"name", used.name},
                 {"usage", usage_json(used.cpu_nanocores, used.memory_bytes)}});
        return item;
    }

    // Unlike metrics-server: what a node's pods use. All nodes are one machine, which has one sum.
    Json metrics_of_node(const Object& node) const {
        std::int64_t nanocores = 0, bytes = 0;
        Duration window{};
        for (const ObjectPtr& pod : store_.list(pods())) {
            const auto known = usage_.find(pod->uid());
            if (known == usage_.end()) continue;
            if (string_at(pod->dom(), "spec.nodeName") != node.name()) continue;
            window = std::max(window, known->second.window);
            for (const PodMetrics::Container& used : known->second.containers) {
                nanocores += used.cpu_nanocores;
                bytes += used.memory_bytes;
            }
        }
        Json item = metrics_json("NodeMetrics", node, window, now_);
        item["usage"] = usage_json(nanocores, bytes);
        return item;
    }

    const Store& store_;
    const Target& target_;
    Time now_;
    std::map<std::string, PodMetrics::Pod> usage_;  // by uid
};

// ---- discovery

struct Resource {
    const char *name, *kind;
    bool namespaced;
};
constexpr auto resources =
    std::to_array<Resource>({{"nodes", "NodeMetrics", false}, {"pods", "PodMetrics", true}});

Json resource_list() {
    Json list = Json::array();
    for (const Resource& resource : resources)
        list.push_back({{"name", resource.name},
                        {"singularName", ""},
                        {"namespaced", resource.namespaced},
                        {"kind", resource.kind},
                        {"verbs", {"get", "list"}}});
    return {{"kind", "APIResourceList"},
            {"apiVersion", "v1"},
            {"groupVersion", group_version},
            {"resources", std::move(list)}};
}

Json group_json() {
    const Json version = {{"groupVersion", group_version}, {"version", "v1beta1"}};
    return {{"name", "metrics.k8s.io"},
            {"versions", Json::array({version})},
            {"preferredVersion", version}};
}

Json aggregated_group() {
    Json list = Json::array();
    for (const Resource& resource : resources) {
        Json entry = {{"resource", resource.name},
                      {"scope", resource.namespaced ? "Namespaced" : "Cluster"},
                      {"singularResource", ""},
                      {"verbs", {"get", "list"}}};
        entry["responseKind"] = {{"group", ""}, {"version", ""}, {"kind", resource.kind}};
        list.push_back(std::move(entry));
    }
    const Json version = {
        {"version", "v1beta1"}, {"freshness", "Current"}, {"resources", std::move(list)}};
    return {{"metadata", {{"name", "metrics.k8s.io"}}}, {"versions", Json::array({version})}};
}

Response json_answer(const Json& document) {
    Response response;
    response.body = dump_json(document) + "\n";
    return response;
}

Response described_group() {
    Json group = group_json();
    group["kind"] = "APIGroup";
    group["apiVersion"] = "v1";
    return json_answer(group);
}

}  // namespace

std::optional<Response> answer_metrics(const Store& store, PodMetrics& metrics,
                                       std::string_view method, const Target& target, Time now) {
    const std::string_view path = target.path;
    if (path != group_path && !path.starts_with(std::string(group_path) + "/")) return std::nullopt;
    std::vector<std::string> parts = segments_of(path.substr(group_path.size()));
    if (method != "GET" && method != "HEAD")
        return response_of({Reason::method_not_allowed,
                            "the server does not allow this method on the requested resource"});
    if (parts.empty()) return described_group();
    if (parts[0] != "v1beta1")
        return response_of({Reason::not_found, "the server could not find the requested resource"});
    parts.erase(parts.begin());
    if (parts.empty()) return json_answer(resource_list());
    const auto answer = Metrics(store, metrics, target, now).answer(parts);
    return answer ? json_answer(*answer) : response_of(answer.error());
}

Response with_metrics_group(Response groups, std::string_view if_none_match) {
    // By insertion order: the document stays as it was otherwise.
    auto document = nlohmann::ordered_json::parse(groups.body, nullptr, false);
    if (groups.status != 200 || !document.is_object()) return groups;
    if (document.contains("groups")) document["groups"].push_back(group_json());
    else if (document.contains("items")) document["items"].push_back(aggregated_group());
    groups.body = document.dump() + "\n";
    for (auto& [name, value] : groups.headers) {
        if (name != "ETag") continue;
        value = "\"" + std::to_string(hash_text(groups.body)) + "\"";
        if (value != if_none_match) continue;
        groups.status = 304;
        groups.body.clear();
    }
    return groups;
}

}  // namespace shed
