// Nodes, priority classes, leases, events and endpoints.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::int64_t user_priority_max = 1'000'000'000;
constexpr std::size_t event_text_max = 128;
constexpr std::size_t event_note_max = 1024;

struct SystemClass {
    std::string_view name;
    std::int64_t value;
};
constexpr SystemClass system_classes[] = {{"system-node-critical", 2'000'001'000},
                                          {"system-cluster-critical", 2'000'000'000}};

// Empty for one of the classes that every cluster has.
std::string system_class_problem(const Field& priority_class) {
    const std::string name = priority_class["metadata"]["name"].text();
    for (const SystemClass& known : system_classes) {
        if (known.name != name) continue;
        if (priority_class["value"].number() != known.value)
            return "value of " + name + " PriorityClass must be " + std::to_string(known.value);
        if (priority_class["globalDefault"].flag())
            return "globalDefault of " + name + " PriorityClass must be false";
        return "";
    }
    return name + " is not a known system priority class";
}

std::string joined(const std::vector<std::string>& texts) {
    std::string all;
    for (const std::string& text : texts) all += (all.empty() ? "" : ";") + text;
    return all;
}

void validate_taints(const Field& taints) {
    std::set<std::pair<std::string, std::string>> seen;
    for (const Field& taint : taints.items()) {
        const Field key = taint["key"], value = taint["value"], effect = taint["effect"];
        named(key, qualified_name_problems);
        const auto problems = label_value_problems(value.text());
        if (!problems.empty()) value.invalid(joined(problems));
        validate_taint_effect(effect, false);
        if (seen.insert({effect.text(), key.text()}).second) continue;
        taint.duplicate_as("core.Taint", taint.json(),
                           "taints must be unique by key and effect pair");
    }
}

void validate_node_resources(const Field& node) {
    for (const char* list : {"capacity", "allocatable"})
        for (const auto& [name, amount] : node["status"][list].entries())
            validate_quantity(name, amount.moved("status." + std::string(list) + "." + name));
}

// Fields that may be set once.
void validate_set_once(const Change& spec, const char* name, const char* shown) {
    const Json& old = member(spec.old, name);
    if (old.is_null() || old.empty() || old == spec[name].json()) return;
    spec[name].forbidden("node updates may not change " + std::string(shown) +
                         " except from \"\" to valid");
}

void limit_text(const Field& text, std::size_t most) {
    if (text.size() > most)
        text.invalid("", "can have at most " + std::to_string(most) + " characters");
}

bool is_set_time(const Field& time) { return !time.text().empty(); }

void validate_new_event(const Field& event) {
    const Field reporter = event["reportingComponent"];
    required_text(reporter);
    named(reporter, qualified_name_problems);
    for (const char* name : {"reportingInstance", "action", "reason"}) {
        required_text(event[name]);
        limit_text(event[name], event_text_max);
    }
    limit_text(event["message"], event_note_max);
}

}  // namespace

void validate_node(const Field& node) {
    validate_taints(node["spec"]["taints"].moved("metadata.taints"));
    validate_node_resources(node);
    for (const Field& range : node["spec"]["podCIDRs"].items()) validate_cidr(range);
}

void validate_node_update(const Change& node) {
    validate_node_resources(node.now);
    std::vector<Json> addresses;
    for (const Field& address : node["status"]["addresses"].items()) {
        if (std::find(addresses.begin(), addresses.end(), address.json()) != addresses.end())
            address.duplicate_as("core.NodeAddress", address.json());
        addresses.push_back(address.json());
    }
    const Field spec = node["spec"];
    const Change change{spec, member(node.old, "spec")};
    validate_set_once(change, "podCIDRs", "podCIDR");
    validate_set_once(change, "providerID", "providerID");
    validate_taints(spec["taints"].moved("metadata.taints"));
}

void validate_priority_class(const Field& priority_class) {
    const Field name = priority_class["metadata"]["name"], value = priority_class["value"];
    if (name.text().starts_with("system-")) {
        const std::string problem = system_class_problem(priority_class);
        if (!problem.empty())
            name.forbidden(
                "priority class names with 'system-' prefix are reserved for system use only. "
                "error: " +
                problem);
    } else if (value.number() > user_priority_max) {
        value.forbidden("maximum allowed value of a user defined priority is 1000000000");
    }
    validate_preemption_policy(priority_class["preemptionPolicy"]);
}

void validate_priority_class_update(const Change& priority_class) {
    if (priority_class["value"].number() != int_at(priority_class.old, "value"))
        priority_class["value"].forbidden("may not be changed in an update.");
    immutable(priority_class, "preemptionPolicy");
}

void validate_lease(const Field& lease) {
    const Field spec = lease["spec"];
    const Field seconds = spec["leaseDurationSeconds"], strategy = spec["strategy"],
                holder = spec["preferredHolder"];
    if (seconds && seconds.number() <= 0) seconds.invalid("must be greater than 0");
    spec["leaseTransitions"].not_negative();
    if (!holder.text().empty() && strategy.text().empty())
        holder.forbidden("may only be specified if `strategy` is defined");
}

void validate_event(const Field& event) {
    const Field involved = event["involvedObject"]["namespace"];
    const std::string own = event["metadata"]["namespace"].text(), theirs = involved.text();
    // Events with a time of their own are of the newer sort, and are held to more.
    const bool newer = is_set_time(event["eventTime"]);
    const bool of_cluster = theirs.empty() && (own == "default" || (newer && own == "kube-system"));
    const bool matches = newer ? !theirs.empty() || of_cluster : theirs == own || of_cluster;
    if (!matches) involved.invalid(theirs, "does not match event.namespace");
    if (newer) validate_new_event(event);
}

void validate_endpoints(const Field& endpoints) {
    static constexpr std::string_view protocols[] = {"SCTP", "TCP", "UDP"};
    for (const Field& subset : endpoints["subsets"].items()) {
        if (subset["addresses"].size() + subset["notReadyAddresses"].size() == 0)
            subset.required("must specify `addresses` or `notReadyAddresses`");
        for (const char* list : {"addresses", "notReadyAddresses"})
            for (const Field& address : subset[list].items()) {
                validate_ip(address["ip"]);
                named_if_set(address["hostname"], dns_label_problems);
                if (address["nodeName"]) named(address["nodeName"], dns_subdomain_problems);
                validate_endpoint_ip(address["ip"]);
            }
        const Field ports = subset["ports"];
        for (const Field& port : ports.items()) {
            const Field name = port["name"];
            if (!name.text().empty()) named(name, dns_label_problems);
            else if (ports.size() > 1) name.required();
            port["port"].in_range(1, port_max);
            port["protocol"].one_of(protocols);
        }
    }
}

}  // namespace shed::admission
