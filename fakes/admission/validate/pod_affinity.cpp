// Affinity and spreading: where a pod may go by what else is there.
#include "fakes/admission/validate/rules.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::int64_t weight_max = 100;

void validate_requirement(const Field& requirement, bool strict_values) {
    const Field op = requirement["operator"], values = requirement["values"];
    if (op.is("Gt") || op.is("Lt")) {
        if (values.size() != 1)
            values.required("must be specified single value when `operator` is 'Lt' or 'Gt'");
    } else if (!operator_fits(op, values)) {
        op.invalid(op.text(), "not a valid selector operator");
    }
    named(requirement["key"], qualified_name_problems);
    if (!strict_values) return;
    for (const Field& value : values.items()) named(value, label_value_problems);
}

// Of a node's own fields only the name can be asked for.
void validate_field_requirement(const Field& requirement) {
    const Field op = requirement["operator"], values = requirement["values"],
                key = requirement["key"];
    if (!op.is("In") && !op.is("NotIn")) op.invalid(op.text(), "not a valid selector operator");
    else if (values.size() != 1)
        values.required(
            "must be only one value when `operator` is 'In' or 'NotIn' for node field selector");
    if (!key.is("metadata.name")) return key.invalid(key.text(), "not a valid field selector key");
    for (const Field& value : values.items()) named(value, dns_subdomain_problems);
}

void validate_node_term(const Field& term, bool strict_values) {
    for (const Field& requirement : term["matchExpressions"].items())
        validate_requirement(requirement, strict_values);
    for (const Field& requirement : term["matchFields"].items())
        validate_field_requirement(requirement);
}

void validate_weight(const Field& weight) {
    if (weight.number() <= 0 || weight.number() > weight_max)
        weight.invalid(weight.number(), "must be in the range 1-100");
}

void validate_keys(const Field& keys, const Field& selector) {
    if (keys.size() == 0) return;
    if (!selector) return keys.forbidden("must not be specified when labelSelector is not set");
    for (const Field& key : keys.items()) named(key, qualified_name_problems);
}

void validate_label_keys(const Field& term) {
    const Field match = term["matchLabelKeys"], mismatch = term["mismatchLabelKeys"];
    const Field selector = term["labelSelector"];
    validate_keys(match, selector);
    validate_keys(mismatch, selector);
    for (const Field& key : match.items())
        for (const Field& other : mismatch.items())
            if (other.is(key.text()))
                key.invalid("exists in both matchLabelKeys and mismatchLabelKeys");
}

void validate_pod_term(const Field& term) {
    validate_label_selector(term["labelSelector"]);
    validate_label_selector(term["namespaceSelector"]);
    for (const Field& ns : term["namespaces"].items())
        named(ns.moved(joined_path(term.path(), "namespace")), dns_label_problems);
    validate_label_keys(term);
    const Field topology = term["topologyKey"];
    if (topology.text().empty()) topology.required("can not be empty");
    named(topology, qualified_name_problems);
}

void validate_pod_terms(const Field& affinity) {
    for (const Field& term : affinity["requiredDuringSchedulingIgnoredDuringExecution"].items())
        validate_pod_term(term);
    for (const Field& weighted :
         affinity["preferredDuringSchedulingIgnoredDuringExecution"].items()) {
        validate_weight(weighted["weight"]);
        validate_pod_term(weighted["podAffinityTerm"]);
    }
}

void validate_min_domains(const Field& domains, const Field& action) {
    if (!domains) return;
    domains.positive();
    if (!action.is("DoNotSchedule"))
        domains.invalid("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " +
                        action.text());
}

}  // namespace

void validate_node_selector(const Field& selector, bool strict_values) {
    const Field terms = selector["nodeSelectorTerms"];
    if (terms.size() == 0) return terms.required("must have at least one node selector term");
    for (const Field& term : terms.items()) validate_node_term(term, strict_values);
}

void validate_affinity(const Field& affinity) {
    if (const Field node = affinity["nodeAffinity"]) {
        if (const Field required = node["requiredDuringSchedulingIgnoredDuringExecution"])
            validate_node_selector(required, true);
        for (const Field& term : node["preferredDuringSchedulingIgnoredDuringExecution"].items()) {
            validate_weight(term["weight"]);
            validate_node_term(term["preference"], false);
        }
    }
    validate_pod_terms(affinity["podAffinity"]);
    validate_pod_terms(affinity["podAntiAffinity"]);
}

void validate_topology_spread(const Field& constraints) {
    static constexpr std::string_view actions[] = {"DoNotSchedule", "ScheduleAnyway"};
    static constexpr std::string_view policies[] = {"Honor", "Ignore"};
    const auto all = constraints.items();
    for (std::size_t i = 0; i < all.size(); ++i) {
        const Field& constraint = all[i];
        const Field topology = constraint["topologyKey"], action = constraint["whenUnsatisfiable"];
        constraint["maxSkew"].positive();
        if (topology.text().empty()) topology.required("can not be empty");
        if (action) action.one_of_if_set(actions);
        else action.complain(not_supported(action.path(), "", {actions[0], actions[1]}));
        const std::string pair = "{" + topology.text() + ", " + action.text() + "}";
        for (std::size_t k = i + 1; k < all.size(); ++k)
            if (all[k]["topologyKey"].is(topology.text()) &&
                all[k]["whenUnsatisfiable"].is(action.text())) {
                constraint.shown_at("{topologyKey, whenUnsatisfiable}").duplicate(pair);
                break;
            }
        validate_min_domains(constraint["minDomains"], action);
        constraint["nodeAffinityPolicy"].one_of_if_set(policies);
        constraint["nodeTaintsPolicy"].one_of_if_set(policies);
        validate_label_keys(constraint);
        validate_label_selector(constraint["labelSelector"]);
    }
}

}  // namespace shed::admission
