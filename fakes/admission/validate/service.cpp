// Services: ports, types and what belongs to each. Addresses are in service_addresses.cpp.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view protocols[] = {"SCTP", "TCP", "UDP"};
constexpr std::int64_t affinity_seconds_max = 86400;
constexpr std::string_view only_balancers = "may only be used when `type` is 'LoadBalancer'";

void validate_type_fields(const Field& service) {
    const Field spec = service["spec"], type = spec["type"], ips = spec["clusterIPs"];
    const bool headless = is_headless(service.json());
    if (spec["ports"].size() == 0 && !headless && !type.is("ExternalName"))
        spec["ports"].required();
    if ((type.is("LoadBalancer") || type.is("NodePort")) && headless)
        ips.item(0).invalid("may not be set to 'None' for " + type.text() + " services");
    if (!type.is("ExternalName")) return;
    for (const char* name : {"clusterIPs", "ipFamilies", "ipFamilyPolicy"})
        if (spec[name].size() > 0) spec[name].forbidden("may not be set for ExternalName services");
    const Field target = spec["externalName"];
    std::string text = target.text();
    if (text.ends_with('.')) text.pop_back();
    if (text.empty()) return target.required();
    for (const std::string& why : dns_subdomain_problems(text)) target.invalid(text, why);
}

void validate_ports(const Field& ports) {
    std::set<std::string> names;
    for (const Field& port : ports.items()) {
        const Field name = port["name"];
        if (name.text().empty()) {
            if (ports.size() > 1) name.required();
        } else {
            named(name, dns_label_problems);
            if (!names.insert(name.text()).second) name.duplicate();
        }
        port["port"].in_range(1, port_max);
        port["protocol"].one_of(protocols);
        validate_port(port["targetPort"]);
        if (const Field app = port["appProtocol"]) named(app, qualified_name_problems);
    }
}

// Pairs of protocol and number may occur once.
void validate_unique_ports(const Field& ports) {
    std::set<std::pair<std::string, std::int64_t>> node_ports, own;
    for (const Field& port : ports.items()) {
        const Field node = port["nodePort"];
        if (node.number() != 0 &&
            !node_ports.insert({port["protocol"].text(), node.number()}).second)
            node.duplicate();
    }
    for (const Field& port : ports.items()) {
        if (own.insert({port["protocol"].text(), port["port"].number()}).second) continue;
        const Json key = {{"protocol", port["protocol"].json()}, {"port", port["port"].json()}};
        port.duplicate_as("core.ServicePort", key);
    }
}

void validate_session_affinity(const Field& spec) {
    static constexpr std::string_view kinds[] = {"ClientIP", "None"};
    const Field affinity = spec["sessionAffinity"], config = spec["sessionAffinityConfig"];
    affinity.one_of(kinds);
    if (affinity.is("None") && config)
        config.forbidden("must not be set when session affinity is None");
    if (!affinity.is("ClientIP")) return;
    const Field client = config["clientIP"], seconds = client["timeoutSeconds"];
    for (const Field& part : {config, client, seconds})
        if (!part) return part.required("when session affinity type is ClientIP");
    if (seconds.number() <= 0 || seconds.number() > affinity_seconds_max)
        seconds.invalid("must be greater than 0 and less than 86400");
}

void validate_balancer_fields(const Field& spec) {
    const bool balancer = spec["type"].is("LoadBalancer");
    const Field ranges = spec["loadBalancerSourceRanges"].moved(
        joined_path(spec.path(), "LoadBalancerSourceRanges"));
    if (ranges.size() > 0 && !balancer) ranges.forbidden(only_balancers);
    for (const Field& range : ranges.items()) validate_cidr(range);
    const Field allocate = spec["allocateLoadBalancerNodePorts"];
    if (allocate && !balancer) allocate.forbidden(only_balancers);
    const Field balancer_class = spec["loadBalancerClass"];
    if (balancer && balancer_class) named(balancer_class, qualified_name_problems);
    if (!balancer && balancer_class) balancer_class.forbidden(only_balancers);
}

void validate_traffic(const Field& spec) {
    static constexpr std::string_view scopes[] = {"Cluster", "Local"};
    static constexpr std::string_view distributions[] = {"PreferClose", "PreferSameZone",
                                                         "PreferSameNode"};
    const Field type = spec["type"], outer = spec["externalTrafficPolicy"],
                check = spec["healthCheckNodePort"];
    const bool external =
        type.is("LoadBalancer") || type.is("NodePort") || spec["externalIPs"].size() > 0;
    if (!external && !outer.text().empty())
        outer.invalid("may only be set for externally-accessible services");
    if (external) outer.one_of_if_set(scopes);
    if (check.number() != 0 && !(type.is("LoadBalancer") && outer.is("Local")))
        check.invalid(
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'");
    spec["internalTrafficPolicy"].one_of_if_set(scopes);
    spec["trafficDistribution"].one_of_if_set(distributions);
}

}  // namespace

bool is_headless(const Json& service) {
    const Json& ips = at_path(service, "spec.clusterIPs");
    return ips.is_array() && ips.size() == 1 && ips[0] == "None";
}

void validate_service(const Field& service) {
    static constexpr std::string_view types[] = {"ClusterIP", "ExternalName", "LoadBalancer",
                                                 "NodePort"};
    const Field spec = service["spec"], type = spec["type"], ports = spec["ports"];
    validate_type_fields(service);
    validate_ports(ports);
    validate_labels(spec["selector"]);
    validate_session_affinity(spec);
    validate_service_addresses(service);
    for (const Field& ip : spec["externalIPs"].items()) {
        const std::size_t before = ip.complaints();
        validate_ip(ip);
        if (ip.complaints() == before) validate_endpoint_ip(ip);
    }
    type.one_of(types);
    if (type.is("ClusterIP"))
        for (const Field& port : ports.items())
            if (port["nodePort"].number() != 0)
                port["nodePort"].forbidden("may not be used when `type` is 'ClusterIP'");
    validate_unique_ports(ports);
    validate_balancer_fields(spec);
    validate_traffic(spec);
}

void validate_service_update(const Change& service) {
    const Field spec = service["spec"], balancer_class = spec["loadBalancerClass"];
    validate_service_address_update(service);
    const bool balancers =
        spec["type"].is("LoadBalancer") && string_at(service.old, "spec.type") == "LoadBalancer";
    if (balancers && balancer_class.json() != at_path(service.old, "spec.loadBalancerClass"))
        balancer_class.invalid("may not change once set");
}

}  // namespace shed::admission
