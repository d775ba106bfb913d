// Deployments and their like. Nothing here acts on them, but they are stored, and a mistake in one
// should show.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

bool is_percent(const Field& value) {
    return value.json().is_string() && percent_problems(value.text()).empty();
}

std::int64_t amount_of(const Field& value) {
    std::int64_t number = value.number();
    const std::string text = value.text();
    if (is_percent(value)) std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

void validate_amount(const Field& value) {
    if (value.json().is_string()) named(value, percent_problems);
    else value.not_negative();
}

void validate_percent(const Field& value) {
    if (is_percent(value) && amount_of(value) > 100) value.invalid("must not be greater than 100%");
}

void validate_selector(const Field& selector, std::string_view kind) {
    if (!selector) return;
    validate_label_selector(selector);
    if (selector["matchLabels"].size() + selector["matchExpressions"].size() == 0)
        selector.invalid_as("meta.LabelSelector",
                            "empty selector is invalid for " + std::string(kind));
}

void validate_selected(const Field& spec) {
    const Field labels = spec["template"]["metadata"]["labels"];
    if (!selects(spec["selector"].json(), labels.json()))
        labels.invalid("`selector` does not match template `labels`");
}

void validate_endless_pods(const Field& pod_template, std::string_view kind) {
    static constexpr std::string_view always[] = {"Always"};
    const Field spec = pod_template["spec"];
    if (!spec["restartPolicy"].is("Always")) spec["restartPolicy"].not_supported(always);
    if (spec["activeDeadlineSeconds"])
        spec["activeDeadlineSeconds"].forbidden("activeDeadlineSeconds in " + std::string(kind) +
                                                " is not Supported");
}

void validate_replicated_template(const Field& spec) {
    validate_selected(spec);
    validate_pod_template(spec["template"]);
    validate_endless_pods(spec["template"], "ReplicaSet");
}

void validate_deployment_strategy(const Field& strategy) {
    const Field rolling = strategy["rollingUpdate"];
    if (strategy["type"].is("Recreate")) {
        if (rolling) rolling.forbidden("may not be specified when strategy `type` is 'Recreate'");
        return;
    }
    if (!strategy["type"].is("RollingUpdate"))
        return strategy.complain(
            not_supported(strategy.path(), strategy.json(), {"Recreate", "RollingUpdate"}));
    const Field unavailable = rolling["maxUnavailable"], surge = rolling["maxSurge"];
    validate_amount(unavailable);
    validate_amount(surge);
    if (amount_of(unavailable) == 0 && amount_of(surge) == 0)
        unavailable.invalid("may not be 0 when `maxSurge` is 0");
    validate_percent(unavailable);
}

void validate_daemon_strategy(const Field& strategy) {
    const Field rolling = strategy["rollingUpdate"];
    if (strategy["type"].is("OnDelete")) return;
    if (!strategy["type"].is("RollingUpdate"))
        return strategy.complain(
            not_supported(strategy.path(), strategy.json(), {"RollingUpdate", "OnDelete"}));
    const Field unavailable = rolling["maxUnavailable"], surge = rolling["maxSurge"];
    for (const Field& amount : {unavailable, surge}) validate_amount(amount);
    for (const Field& amount : {unavailable, surge}) validate_percent(amount);
    const bool some_unavailable = amount_of(unavailable) != 0, some_surge = amount_of(surge) != 0;
    if (some_unavailable && some_surge)
        surge.invalid("may not be set when maxUnavailable is non-zero");
    if (!some_unavailable && !some_surge) unavailable.required("cannot be 0 when maxSurge is 0");
}

// The template as pods will have it: with the claims as volumes, and named by the controller.
Json completed_template(const Field& spec) {
    Json made = spec["template"].json();
    if (!made.is_object() || !made.contains("spec")) return made;
    for (const char* name : {"subdomain", "hostname"}) made["spec"].erase(name);
    Json volumes = Json::array();
    std::set<std::string> claims;
    for (const Field& claim : spec["volumeClaimTemplates"].items()) {
        const std::string name = claim["metadata"]["name"].text();
        claims.insert(name);
        volumes.push_back({{"name", name}, {"persistentVolumeClaim", {{"claimName", name}}}});
    }
    for (const Json& volume : list_of(made, "spec.volumes"))
        if (!claims.contains(string_at(volume, "name"))) volumes.push_back(volume);
    if (!volumes.empty()) made["spec"]["volumes"] = std::move(volumes);
    return made;
}

void validate_stateful_strategy(const Field& spec) {
    const Field policy = spec["podManagementPolicy"], strategy = spec["updateStrategy"],
                type = strategy["type"];
    if (!policy.is("OrderedReady") && !policy.is("Parallel"))
        policy.invalid("must be 'OrderedReady' or 'Parallel'");
    const Field rolling = strategy["rollingUpdate"];
    if (type.is("OnDelete") && rolling)
        rolling.invalid("only allowed for updateStrategy 'RollingUpdate'");
    if (type.is("RollingUpdate")) rolling["partition"].not_negative();
    else if (!type.is("OnDelete")) strategy.invalid("must be 'RollingUpdate' or 'OnDelete'");
}

}  // namespace

void validate_deployment(const Field& workload) {
    const Field spec = workload["spec"];
    spec["replicas"].not_negative();
    if (!spec["selector"]) spec["selector"].required();
    validate_selector(spec["selector"], "deployment");
    validate_replicated_template(spec);
    validate_deployment_strategy(spec["strategy"]);
    spec["minReadySeconds"].not_negative();
    spec["revisionHistoryLimit"].not_negative();
    const Field deadline = spec["progressDeadlineSeconds"];
    deadline.not_negative();
    if (deadline && deadline.number() <= spec["minReadySeconds"].number())
        deadline.invalid("must be greater than minReadySeconds");
}

void validate_replica_set(const Field& workload) {
    const Field spec = workload["spec"];
    spec["replicas"].not_negative();
    spec["minReadySeconds"].not_negative();
    if (!spec["selector"]) spec["selector"].required();
    validate_selector(spec["selector"], "deployment");
    validate_replicated_template(spec);
}

void validate_daemon_set(const Field& workload) {
    const Field spec = workload["spec"];
    validate_selector(spec["selector"], "daemonset");
    validate_selected(spec);
    validate_pod_template(spec["template"]);
    validate_endless_pods(spec["template"], "DaemonSet");
    spec["minReadySeconds"].not_negative();
    validate_daemon_strategy(spec["updateStrategy"]);
    spec["revisionHistoryLimit"].not_negative();
}

void validate_stateful_set(const Field& workload) {
    const Field spec = workload["spec"];
    validate_stateful_strategy(spec);
    for (const Field& claim : spec["volumeClaimTemplates"].items())
        validate_claim_spec(claim["spec"]);
    spec["replicas"].not_negative();
    spec["minReadySeconds"].not_negative();
    named_if_set(spec["serviceName"], dns_label_problems);
    if (!spec["selector"]) spec["selector"].required();
    validate_selector(spec["selector"], "statefulset");
    validate_selected(spec);
    const Json made = completed_template(spec);
    validate_pod_template(spec["template"].with(made));
    validate_endless_pods(spec["template"], "StatefulSet");
}

void validate_selector_update(const Change& workload) {
    const Field spec = workload["spec"];
    immutable_as({spec, member(workload.old, "spec")}, "selector", "*meta.LabelSelector");
}

void validate_stateful_set_update(const Change& set) {
    static constexpr std::string_view open[] = {"replicas",
                                                "template",
                                                "updateStrategy",
                                                "minReadySeconds",
                                                "ordinals",
                                                "revisionHistoryLimit",
                                                "persistentVolumeClaimRetentionPolicy"};
    Json now = set["spec"].json(), old = member(set.old, "spec");
    for (const std::string_view name : open) {
        now.erase(std::string(name));
        old.erase(std::string(name));
    }
    if (now != old)
        set["spec"].forbidden(
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', "
            "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and "
            "'minReadySeconds' are forbidden");
}

}  // namespace shed::admission
