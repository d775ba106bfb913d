// Required pod affinity and anti-affinity (kube-scheduler's InterPodAffinity). Preferred terms have no effect here.
#include "fakes/controllers/scheduler_fit.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr const char* required = "requiredDuringSchedulingIgnoredDuringExecution";

const Json& terms_of(const Json& pod, const char* which) {
    static const Json none = Json::array();
    const Json& list = member(at_path(pod, std::string("spec.affinity.") + which), required);
    return list.is_array() ? list : none;
}

bool in_namespaces(const Json& term, const Object& owner, const Object& other) {
    const Json& names = member(term, "namespaces");
    const bool listed = names.is_array() && std::find(names.begin(), names.end(), Json(other.ns())) != names.end();
    // An empty namespaceSelector means all namespaces; one that is not given, none but the pod's own.
    if (member(term, "namespaceSelector").is_object()) return true;
    return listed || ((!names.is_array() || names.empty()) && owner.ns() == other.ns());
}

bool selects(const Json& term, const Object& owner, const Object& other) {
    // A selector that is not given selects nothing.
    if (!in_namespaces(term, owner, other) || !member(term, "labelSelector").is_object()) return false;
    const auto selector = LabelSelector::from_json(member(term, "labelSelector"));
    return selector && selector->matches(other);
}

std::string domain_of(const Object& node, const Json& term) {
    return std::string(node.label(string_at(term, "topologyKey")));
}

bool attracted(const PlacedPods& placed, const Object& pod, const Json& term,
               const Object& node) {
    const std::string domain = domain_of(node, term);
    if (domain.empty()) return false;
    bool anywhere = false;
    for (const auto& [other, its_node] : placed) {
        if (!selects(term, pod, *other)) continue;
        anywhere = true;
        if (domain_of(*its_node, term) == domain) return true;
    }
    // The first of a group that is to be together may go anywhere.
    return !anywhere && selects(term, pod, pod);
}

bool repelled(const PlacedPods& placed, const Object& pod, const Json& term,
              const Object& node) {
    const std::string domain = domain_of(node, term);
    return !domain.empty() && std::any_of(placed.begin(), placed.end(), [&](const auto& other) {
        return selects(term, pod, *other.first) && domain_of(*other.second, term) == domain;
    });
}

bool unwelcome(const PlacedPods& placed, const Object& pod, const Object& node) {
    for (const auto& [other, its_node] : placed)
        for (const Json& term : terms_of(other->dom(), "podAntiAffinity")) {
            const std::string domain = domain_of(*its_node, term);
            if (!domain.empty() && domain == domain_of(node, term) && selects(term, *other, pod)) return true;
        }
    return false;
}

Misfit because(const char* reason) {
    Misfit misfit;
    misfit.reasons.emplace_back(reason);
    misfit.preemption_helps = true;
    return misfit;
}

}  // namespace

PlacedPods placed_pods(const Snapshot& cluster) {
    PlacedPods placed;
    for (const ObjectPtr& node : cluster.list(nodes()))
        for (const ObjectPtr& pod : cluster.pods_on(node->name())) {
            const std::string phase = string_at(pod->dom(), "status.phase");
            if (phase != "Succeeded" && phase != "Failed") placed.emplace_back(pod, node);
        }
    return placed;
}

Misfit affinity_misfit(const PlacedPods& placed, const Object& pod, const Object& node) {
    for (const Json& term : terms_of(pod.dom(), "podAffinity"))
        if (!attracted(placed, pod, term, node)) {
            Misfit misfit = because("node(s) didn't match pod affinity rules");
            misfit.preemption_helps = false;
            return misfit;
        }
    for (const Json& term : terms_of(pod.dom(), "podAntiAffinity"))
        if (repelled(placed, pod, term, node)) return because("node(s) didn't match pod anti-affinity rules");
    if (unwelcome(placed, pod, node)) return because("node(s) didn't satisfy existing pods anti-affinity rules");
    return {};
}

}  // namespace shed::controllers
