// Rows of the core group: nodes, namespaces, services, configuration, volumes, events.
#include "fakes/api/table.hpp"

#include "fakes/base/text.hpp"

#include <algorithm>
#include <set>

namespace shed {

namespace {

const Column name_column{"Name", 0, "name"};

std::string node_roles(const Object& node) {
    constexpr std::string_view prefix = "node-role.kubernetes.io/";
    std::set<std::string> roles;
    for (const auto& [name, value] : node.labels()) {
        if (name.starts_with(prefix) && name.size() > prefix.size())
            roles.insert(name.substr(prefix.size()));
        else if (name == "kubernetes.io/role" && !value.empty()) roles.insert(value);
    }
    return or_none(joined(roles, ","));
}

std::string node_status(const Json& node) {
    const Json& ready = condition_of(node, "Ready");
    std::string status = "Unknown";
    if (ready.is_object()) status = string_at(ready, "status") == "True" ? "Ready" : "NotReady";
    return bool_at(node, "spec.unschedulable") ? status + ",SchedulingDisabled" : status;
}

std::string node_address(const Json& node, std::string_view type) {
    const Json& addresses = at_path(node, "status.addresses");
    if (addresses.is_array())
        for (const Json& address : addresses)
            if (string_at(address, "type") == type) return string_at(address, "address");
    return "<none>";
}

std::string or_unknown(std::string text) { return text.empty() ? "<unknown>" : text; }

Row node_row(const Object& object, Time now) {
    const Json& node = object.dom();
    const Json& info = at_path(node, "status.nodeInfo");
    std::string kernel = string_at(info, "kernelVersion");
    const std::string architecture = string_at(info, "architecture");
    if (!kernel.empty() && !architecture.empty()) kernel += " (" + architecture + ")";
    return {{object.name(), node_status(node), node_roles(object), age_of(object, now),
             string_at(info, "kubeletVersion"), node_address(node, "InternalIP"),
             node_address(node, "ExternalIP"), or_unknown(string_at(info, "osImage")),
             or_unknown(kernel), or_unknown(string_at(info, "containerRuntimeVersion"))}};
}

Row namespace_row(const Object& object, Time now) {
    return {{object.name(), string_at(object.dom(), "status.phase"), age_of(object, now)}};
}

std::string service_ports(const Json& service) {
    std::string text;
    const Json& ports = at_path(service, "spec.ports");
    if (ports.is_array()) {
        for (const Json& port : ports) {
            text += (text.empty() ? "" : ",") + std::to_string(int_at(port, "port"));
            if (const auto node_port = int_at(port, "nodePort"); node_port > 0)
                text += ":" + std::to_string(node_port);
            text += "/" + string_at(port, "protocol", "TCP");
        }
    }
    return or_none(std::move(text));
}

std::string service_external(const Json& service) {
    const std::string type = string_at(service, "spec.type");
    const std::string listed = comma_list(at_path(service, "spec.externalIPs"), "");
    if (type == "ExternalName") return string_at(service, "spec.externalName");
    if (type != "LoadBalancer") return or_none(listed);
    std::set<std::string> addresses;
    const Json& ingress = at_path(service, "status.loadBalancer.ingress");
    if (ingress.is_array())
        for (const Json& i : ingress) addresses.insert(string_at(i, "ip", string_at(i, "hostname")));
    if (addresses.empty()) return listed.empty() ? "<pending>" : listed;
    return joined(addresses, ",") + (listed.empty() ? "" : "," + listed);
}

Row service_row(const Object& object, Time now) {
    const Json& service = object.dom();
    const Json& ips = at_path(service, "spec.clusterIPs");
    const std::string ip = ips.is_array() && !ips.empty() && ips[0].is_string()
                               ? ips[0].get<std::string>()
                               : string_at(service, "spec.clusterIP");
    return {{object.name(), string_at(service, "spec.type"), or_none(ip), service_external(service),
             service_ports(service), age_of(object, now),
             label_map_text(at_path(service, "spec.selector"))}};
}

std::int64_t size_at(const Json& object, std::string_view name) {
    return static_cast<std::int64_t>(member(object, name).size());
}

Row config_map_row(const Object& object, Time now) {
    const Json& map = object.dom();
    return {{object.name(), size_at(map, "data") + size_at(map, "binaryData"), age_of(object, now)}};
}

Row secret_row(const Object& object, Time now) {
    const Json& secret = object.dom();
    return {{object.name(), string_at(secret, "type"), size_at(secret, "data"), age_of(object, now)}};
}

Row age_row(const Object& object, Time now) { return {{object.name(), age_of(object, now)}}; }

std::string endpoints_text(const Json& endpoints) {
    constexpr int shown_max = 3;
    std::vector<std::string> all;
    const Json& subsets = member(endpoints, "subsets");
    if (subsets.is_array()) {
        for (const Json& subset : subsets) {
            for (const Json& address : member(subset, "addresses")) {
                const std::string ip = string_at(address, "ip");
                const Json& ports = member(subset, "ports");
                if (ports.empty()) all.push_back(ip);
                for (const Json& port : ports)
                    all.push_back(ip + ":" + std::to_string(int_at(port, "port")));
            }
        }
    }
    std::string text;
    for (std::size_t i = 0; i < all.size() && i < shown_max; ++i) text += (i > 0 ? "," : "") + all[i];
    if (all.size() > shown_max) text += " + " + std::to_string(all.size() - shown_max) + " more...";
    return or_none(std::move(text));
}

Row endpoints_row(const Object& object, Time now) {
    return {{object.name(), endpoints_text(object.dom()), age_of(object, now)}};
}

std::string access_modes(const Json& modes) {
    std::string text;
    if (!modes.is_array()) return text;
    for (const auto& [mode, shown] :
         {std::pair{"ReadWriteOnce", "RWO"}, {"ReadOnlyMany", "ROX"}, {"ReadWriteMany", "RWX"},
          {"ReadWriteOncePod", "RWOP"}}) {
        const bool has = std::find(modes.begin(), modes.end(), Json(mode)) != modes.end();
        if (has) text += (text.empty() ? "" : ",") + std::string(shown);
    }
    return text;
}

std::string volume_phase(const Object& object) {
    return object.deleting() ? "Terminating" : string_at(object.dom(), "status.phase");
}

Row claim_row(const Object& object, Time now) {
    const Json& claim = object.dom();
    const bool bound = !string_at(claim, "spec.volumeName").empty();
    return {{object.name(), volume_phase(object), string_at(claim, "spec.volumeName"),
             bound ? string_at(claim, "status.capacity.storage") : "",
             bound ? access_modes(at_path(claim, "status.accessModes")) : "",
             string_at(claim, "spec.storageClassName"),
             string_at(claim, "spec.volumeAttributesClassName", "<unset>"), age_of(object, now),
             string_at(claim, "spec.volumeMode", "<unset>")}};
}

Row volume_row(const Object& object, Time now) {
    const Json& volume = object.dom();
    std::string claim = string_at(volume, "spec.claimRef.name");
    if (!claim.empty()) claim = string_at(volume, "spec.claimRef.namespace") + "/" + claim;
    return {{object.name(), string_at(volume, "spec.capacity.storage"),
             access_modes(at_path(volume, "spec.accessModes")),
             string_at(volume, "spec.persistentVolumeReclaimPolicy"), volume_phase(object), claim,
             string_at(volume, "spec.storageClassName"),
             string_at(volume, "spec.volumeAttributesClassName", "<unset>"),
             string_at(volume, "status.reason"), age_of(object, now),
             string_at(volume, "spec.volumeMode", "<unset>")}};
}

std::string event_source(const Json& event) {
    std::string component = string_at(event, "source.component");
    if (component.empty()) component = string_at(event, "reportingComponent");
    std::string instance = string_at(event, "source.host");
    if (instance.empty()) instance = string_at(event, "reportingInstance");
    return instance.empty() ? component : component + ", " + instance;
}

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    if (begin == std::string::npos) return "";
    return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

Row event_row(const Object& object, Time now) {
    const Json& event = object.dom();
    const Json& first_time = member(event, "firstTimestamp");
    const Json& last_time = member(event, "lastTimestamp");
    const std::string first =
        since_text(first_time.is_string() ? first_time : member(event, "eventTime"), now);
    std::string last = last_time.is_string() ? since_text(last_time, now) : first;
    std::int64_t count = std::max<std::int64_t>(1, int_at(event, "count"));
    if (const Json& series = member(event, "series"); series.is_object()) {
        last = since_text(member(series, "lastObservedTime"), now);
        count = int_at(series, "count");
    }
    std::string target = string_at(event, "involvedObject.kind");
    for (char& c : target)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const std::string name = string_at(event, "involvedObject.name");
    if (!name.empty()) target += "/" + name;
    return {{last, string_at(event, "type"), string_at(event, "reason"), target,
             string_at(event, "involvedObject.fieldPath"), event_source(event),
             trimmed(string_at(event, "message")), first, count, object.name()}};
}

}  // namespace

std::optional<Printer> core_printer(const Kind& kind) {
    if (!kind.group.empty()) return std::nullopt;
    const std::string_view p = kind.plural;
    if (p == "nodes")
        return Printer{{name_column, {"Status"}, {"Roles"}, {"Age"}, {"Version"}, {"Internal-IP", 1},
                        {"External-IP", 1}, {"OS-Image", 1}, {"Kernel-Version", 1},
                        {"Container-Runtime", 1}},
                       node_row};
    if (p == "namespaces") return Printer{{name_column, {"Status"}, {"Age"}}, namespace_row};
    if (p == "services")
        return Printer{{name_column, {"Type"}, {"Cluster-IP"}, {"External-IP"}, {"Port(s)"}, {"Age"},
                        {"Selector", 1}},
                       service_row};
    if (p == "configmaps") return Printer{{name_column, {"Data"}, {"Age"}}, config_map_row};
    if (p == "secrets") return Printer{{name_column, {"Type"}, {"Data"}, {"Age"}}, secret_row};
    if (p == "serviceaccounts") return Printer{{name_column, {"Age"}}, age_row};
    if (p == "endpoints") return Printer{{name_column, {"Endpoints"}, {"Age"}}, endpoints_row};
    if (p == "persistentvolumeclaims")
        return Printer{{name_column, {"Status"}, {"Volume"}, {"Capacity"}, {"Access Modes"},
                        {"StorageClass"}, {"VolumeAttributesClass"}, {"Age"}, {"VolumeMode", 1}},
                       claim_row};
    if (p == "persistentvolumes")
        return Printer{{name_column, {"Capacity"}, {"Access Modes"}, {"Reclaim Policy"}, {"Status"},
                        {"Claim"}, {"StorageClass"}, {"VolumeAttributesClass"}, {"Reason"}, {"Age"},
                        {"VolumeMode", 1}},
                       volume_row};
    if (p == "events")
        return Printer{{{"Last Seen"}, {"Type"}, {"Reason"}, {"Object"}, {"Subobject", 1},
                        {"Source", 1}, {"Message"}, {"First Seen", 1}, {"Count", 1},
                        {"Name", 1, "name"}},
                       event_row};
    return std::nullopt;
}

}  // namespace shed
