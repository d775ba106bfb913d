#include "fakes/controllers/scheduler_fit.hpp"

#include "fakes/base/text.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

void add(Resources& into, const Json& quantities) {
    if (!quantities.is_object()) return;
    for (const auto& [name, value] : quantities.items())
        if (const auto quantity = Quantity::from_json(value))
            into[name] = into[name] + *quantity;
}

void at_least(Resources& into, const Resources& other) {
    for (const auto& [name, value] : other) into[name] = std::max(into[name], value);
}

Resources sum(Resources a, const Resources& b) {
    for (const auto& [name, value] : b) a[name] = a[name] + value;
    return a;
}

const Json& list_at(const Json& object, std::string_view path) {
    static const Json none = Json::array();
    const Json& list = at_path(object, path);
    return list.is_array() ? list : none;
}

// Requests default to limits (the API has done so for stored pods; mirror pods may differ).
const Json& requests_of(const Json& container) {
    const Json& requests = at_path(container, "resources.requests");
    return requests.is_object() ? requests : at_path(container, "resources.limits");
}

bool tolerates(const Json& toleration, const Json& taint) {
    const std::string effect = string_at(toleration, "effect");
    if (!effect.empty() && effect != string_at(taint, "effect")) return false;
    const std::string key = string_at(toleration, "key");
    const bool exists = string_at(toleration, "operator", "Equal") == "Exists";
    if (key.empty()) return exists;
    if (key != string_at(taint, "key")) return false;
    return exists || string_at(toleration, "value") == string_at(taint, "value");
}

bool tolerated(const Json& pod, const Json& taint) {
    const std::string effect = string_at(taint, "effect");
    if (effect != "NoSchedule" && effect != "NoExecute") return true;
    const Json& tolerations = list_at(pod, "spec.tolerations");
    return std::any_of(tolerations.begin(), tolerations.end(),
                       [&](const Json& toleration) { return tolerates(toleration, taint); });
}

std::optional<long long> number(const std::string& text) {
    char* end = nullptr;
    const long long value = std::strtoll(text.c_str(), &end, 10);
    if (text.empty() || *end != '\0') return std::nullopt;
    return value;
}

bool in_values(const Json& expression, const std::string& value) {
    const Json& values = list_at(expression, "values");
    return std::find(values.begin(), values.end(), value) != values.end();
}

bool expression_matches(const Json& expression, bool present, const std::string& value) {
    const std::string op = string_at(expression, "operator");
    if (op == "Exists") return present;
    if (op == "DoesNotExist") return !present;
    if (op == "In") return present && in_values(expression, value);
    if (op == "NotIn") return !present || !in_values(expression, value);
    const Json& values = list_at(expression, "values");
    if (!present || values.size() != 1 || !values[0].is_string()) return false;
    const auto have = number(value), want = number(values[0].get<std::string>());
    if (!have || !want) return false;
    return op == "Gt" ? *have > *want : op == "Lt" && *have < *want;
}

bool has_label(const Object& node, const std::string& key) {
    return std::any_of(node.labels().begin(), node.labels().end(),
                       [&](const auto& label) { return label.first == key; });
}

// A term with nothing in it matches no node.
bool term_matches(const Json& term, const Object& node) {
    const Json& labels = list_at(term, "matchExpressions");
    const Json& fields = list_at(term, "matchFields");
    if (labels.empty() && fields.empty()) return false;
    for (const Json& expression : labels) {
        const std::string key = string_at(expression, "key");
        if (!expression_matches(expression, has_label(node, key), std::string(node.label(key))))
            return false;
    }
    for (const Json& expression : fields)
        if (string_at(expression, "key") != "metadata.name" ||
            !expression_matches(expression, true, node.name()))
            return false;
    return true;
}

bool selected(const Json& pod, const Object& node) {
    if (const Json& selector = at_path(pod, "spec.nodeSelector"); selector.is_object())
        for (const auto& [key, value] : selector.items())
            if (!has_label(node, key) || !value.is_string() ||
                node.label(key) != value.get_ref<const std::string&>())
                return false;
    const Json& required = at_path(
        pod, "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    if (!required.is_object()) return true;
    const Json& terms = list_at(required, "nodeSelectorTerms");
    return std::any_of(terms.begin(), terms.end(),
                       [&](const Json& term) { return term_matches(term, node); });
}

Misfit insufficient(const Resources& requests, const Object& node, const Resources& used) {
    Misfit misfit;
    misfit.preemption_helps = true;
    const Resources capacity = allocatable(node.dom());
    for (const auto& [name, wanted] : requests) {
        if (wanted == Quantity()) continue;
        const auto total = capacity.find(name);
        const Quantity room = total == capacity.end() ? Quantity() : total->second;
        const auto taken = used.find(name);
        if (wanted <= room - (taken == used.end() ? Quantity() : taken->second)) continue;
        misfit.reasons.push_back(name == "pods" ? "Too many pods" : "Insufficient " + name);
        if (wanted > room) misfit.preemption_helps = false;
    }
    return misfit;
}

// "2 Insufficient cpu, 1 Too many pods": sorted as text, as the scheduler does.
std::string counted(const std::map<std::string, int>& counts) {
    std::vector<std::string> parts;
    for (const auto& [reason, count] : counts)
        parts.push_back(std::to_string(count) + " " + reason);
    std::sort(parts.begin(), parts.end());
    return joined(parts, ", ");
}

}  // namespace

Resources pod_requests(const Json& pod) {
    Resources running, start_peak, sidecars;
    for (const Json& container : list_at(pod, "spec.containers"))
        add(running, requests_of(container));
    for (const Json& container : list_at(pod, "spec.initContainers")) {
        if (string_at(container, "restartPolicy") == "Always") {
            add(sidecars, requests_of(container));
            at_least(start_peak, sidecars);
            continue;
        }
        Resources step;
        add(step, requests_of(container));
        at_least(start_peak, sum(step, sidecars));
    }
    Resources total = sum(running, sidecars);
    at_least(total, start_peak);
    add(total, at_path(pod, "spec.overhead"));
    total["pods"] = Quantity(1000);
    return total;
}

Resources allocatable(const Json& node) {
    Resources result;
    add(result, at_path(node, "status.allocatable"));
    return result;
}

Resources used_on(const Snapshot& cluster, const std::string& node) {
    Resources used;
    for (const ObjectPtr& pod : cluster.pods_on(node)) {
        const std::string phase = string_at(pod->dom(), "status.phase");
        if (phase != "Succeeded" && phase != "Failed") used = sum(used, pod_requests(pod->dom()));
    }
    return used;
}

Misfit fit(const Json& pod, const Resources& requests, const Object& node, const Resources& used) {
    const auto never = [](std::string reason) {
        Misfit misfit;
        misfit.reasons.push_back(std::move(reason));
        return misfit;
    };
    if (bool_at(node.dom(), "spec.unschedulable")) {
        const Json taint = {{"key", "node.kubernetes.io/unschedulable"}, {"effect", "NoSchedule"}};
        if (!tolerated(pod, taint)) return never("node(s) were unschedulable");
    }
    for (const Json& taint : list_at(node.dom(), "spec.taints"))
        if (!tolerated(pod, taint)) return never("node(s) had untolerated taint(s)");
    if (!condition_true(node.dom(), "Ready")) return never("node(s) were not ready");
    if (!selected(pod, node)) return never("node(s) didn't match Pod's node affinity/selector");
    return insufficient(requests, node, used);
}

std::string unschedulable_message(const std::vector<Misfit>& misfits) {
    if (misfits.empty()) return "no nodes available to schedule pods";
    std::map<std::string, int> reasons, hopes;
    for (const Misfit& misfit : misfits) {
        for (const std::string& reason : misfit.reasons) ++reasons[reason];
        ++hopes[misfit.preemption_helps ? "No preemption victims found for incoming pod"
                                        : "Preemption is not helpful for scheduling"];
    }
    const std::string none = "0/" + std::to_string(misfits.size()) + " nodes are available: ";
    return none + counted(reasons) + ". no new claims to deallocate, preemption: " + none +
           counted(hopes) + ".";
}

}  // namespace shed::controllers
