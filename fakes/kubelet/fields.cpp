#include "fakes/kubelet/compose.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

// Go's %q for what labels and annotations hold.
std::string quoted(const std::string& text) { return dump_json(Json(text)); }

std::string map_lines(const Json& map) {
    std::string lines;
    if (!map.is_object()) return lines;
    for (const auto& [key, value] : map.items()) {
        if (!lines.empty()) lines += '\n';
        lines += key + "=" + quoted(value.is_string() ? value.get<std::string>() : "");
    }
    return lines;
}

std::optional<std::string> subscript(const std::string& path, std::string_view of) {
    const std::string head = std::string(of) + "['";
    if (!path.starts_with(head) || !path.ends_with("']")) return std::nullopt;
    return path.substr(head.size(), path.size() - head.size() - 2);
}

std::string map_value(const Json& map, const std::string& key) {
    const Json& value = member(map, key);
    return value.is_string() ? value.get<std::string>() : "";
}

const Json& container_named(const PodPlace& place, std::string_view name) {
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : member(place.spec(), list)) {
            if (string_at(container, "name") == name) return container;
        }
    }
    return member(place.spec(), "");
}

std::string divided(Quantity quantity, Quantity divisor) {
    const Int128 by = divisor.milli() > 0 ? divisor.milli() : 1000;
    return std::to_string(static_cast<std::int64_t>((quantity.milli() + by - 1) / by));
}

}  // namespace

Result<std::string> field_value(const PodPlace& place, const std::string& path) {
    const Json& metadata = member(place.pod->dom(), "metadata");
    if (const auto key = subscript(path, "metadata.labels"))
        return map_value(member(metadata, "labels"), *key);
    if (const auto key = subscript(path, "metadata.annotations"))
        return map_value(member(metadata, "annotations"), *key);
    if (path == "metadata.labels") return map_lines(member(metadata, "labels"));
    if (path == "metadata.annotations") return map_lines(member(metadata, "annotations"));
    if (path == "metadata.name" || path == "metadata.namespace" || path == "metadata.uid") {
        return string_at(place.pod->dom(), path);
    }
    if (path == "spec.nodeName") return place.node;
    if (path == "spec.serviceAccountName") return string_at(place.spec(), "serviceAccountName");
    if (path == "status.hostIP" || path == "status.hostIPs") return place.host_ip;
    if (path == "status.podIP" || path == "status.podIPs") return place.ip;
    return Error{Reason::invalid, "unsupported fieldPath: " + path};
}

Result<std::string> resource_value(const PodPlace& place, const Json& resource_ref,
                                   std::string_view default_container) {
    const std::string resource = string_at(resource_ref, "resource");
    const std::string name = string_at(resource_ref, "containerName", default_container);
    const auto dot = resource.find('.');
    if (dot == std::string::npos)
        return Error{Reason::invalid, "unsupported resource: " + resource};
    const std::string kind = resource.substr(0, dot), what = resource.substr(dot + 1);
    const Json& resources = member(container_named(place, name), "resources");
    auto quantity = Quantity::from_json(member(member(resources, kind), what));
    if (!quantity && kind == "limits") {
        const auto whole = place.node_allocatable.find(what);
        if (whole != place.node_allocatable.end()) quantity = Quantity::parse(whole->second);
    }
    const auto divisor = Quantity::from_json(member(resource_ref, "divisor"));
    return divided(quantity.value_or(Quantity(0)), divisor.value_or(Quantity(0)));
}

}  // namespace shed::kubelet
