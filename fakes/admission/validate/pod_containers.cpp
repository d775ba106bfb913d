// Containers of all three sorts.
#include "fakes/admission/validate/rules.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view protocols[] = {"SCTP", "TCP", "UDP"};
constexpr std::string_view pull_policies[] = {"Always", "IfNotPresent", "Never"};
constexpr std::size_t restart_rules_max = 20;
constexpr std::size_t exit_codes_max = 255;

void validate_ports(const Field& ports) {
    std::set<std::string> names;
    for (const Field& port : ports.items()) {
        const Field name = port["name"], container = port["containerPort"], host = port["hostPort"];
        if (!name.text().empty()) {
            const auto problems = port_name_problems(name.text());
            name.invalid_each(problems);
            if (problems.empty() && !names.insert(name.text()).second) name.duplicate();
        }
        if (container.number() == 0) container.required();
        else container.in_range(1, port_max);
        if (host.number() != 0) host.in_range(1, port_max);
        port["protocol"].one_of(protocols);
    }
}

void validate_resize_policy(const Field& policies, const PodContext& context) {
    static constexpr std::string_view resources[] = {"cpu", "memory"};
    static constexpr std::string_view actions[] = {"NotRequired", "RestartContainer"};
    std::set<std::string> seen;
    for (const Field& policy : policies.items()) {
        const Field resource = policy["resourceName"].moved(policies.path());
        const Field action = policy["restartPolicy"].moved(policies.path());
        if (!seen.insert(resource.text()).second) resource.moved(policy.path()).duplicate();
        resource.one_of(resources);
        action.one_of(actions);
        if (context.restart_policy == "Never" && !action.is("NotRequired"))
            action.invalid(action.text(),
                           "must be 'NotRequired' when pod `restartPolicy` is 'Never'");
    }
}

void validate_restart_rule(const Field& rule) {
    static constexpr std::string_view actions[] = {"Restart", "RestartAllContainers"};
    static constexpr std::string_view operators[] = {"In", "NotIn"};
    rule["action"].one_of_if_set(actions);
    const Field codes = rule["exitCodes"];
    if (!codes) return codes.required("must be specified");
    codes["operator"].one_of_if_set(operators);
    if (codes["values"].size() > exit_codes_max) codes["values"].too_many(exit_codes_max);
}

void validate_restart_policy(const Field& container) {
    static constexpr std::string_view policies[] = {"Always", "Never", "OnFailure"};
    const Field policy = container["restartPolicy"], rules = container["restartPolicyRules"];
    if (policy) policy.one_of_if_set(policies);
    else if (rules.size() > 0)
        policy.required("must specify restartPolicy when restart rules are used");
    if (rules.size() > restart_rules_max) rules.too_many(restart_rules_max);
    for (const Field& rule : rules.items()) validate_restart_rule(rule);
}

void validate_any_container(const Field& container, const PodContext& context) {
    static constexpr std::string_view message_policies[] = {"File", "FallbackToLogsOnError"};
    const Field name = container["name"];
    if (name.text().empty()) name.required();
    else named(name, dns_label_problems);
    required_text(container["image"]);
    container["terminationMessagePolicy"].one_of(message_policies);
    validate_ports(container["ports"]);
    validate_env(container);
    validate_mounts(container, context);
    validate_devices(container, context);
    container["imagePullPolicy"].one_of(pull_policies);
    validate_resources(container["resources"], context.claims, false);
    validate_resize_policy(container["resizePolicy"], context);
    validate_container_security(container["securityContext"], context.host_users);
}

void validate_host_ports(const std::vector<Field>& containers) {
    std::set<std::string> taken;
    for (const Field& container : containers)
        for (const Field& port : container["ports"].items()) {
            const Field host = port["hostPort"];
            if (host.number() == 0) continue;
            const std::string text = port["protocol"].text() + "/" + port["hostIP"].text() + "/" +
                                     std::to_string(host.number());
            if (!taken.insert(text).second) host.duplicate(text);
        }
}

std::set<std::string> names_of(const Field& containers) {
    std::set<std::string> names;
    for (const Field& container : containers.items()) names.insert(container["name"].text());
    return names;
}

// An init container that is restarted goes on beside the others; the rest run to their end, one by
// one.
void validate_init_container(const Field& container, const PodContext& context) {
    if (container["restartPolicy"].is("Always")) {
        if (const Field lifecycle = container["lifecycle"]) validate_lifecycle(lifecycle, context);
        return validate_probes(container, context);
    }
    for (const char* name : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"})
        if (const Field value = container[name])
            value.forbidden("may not be set for init containers without restartPolicy=Always");
    for (const Field& policy : container["resizePolicy"].items())
        if (policy["restartPolicy"].is("RestartContainer"))
            policy["restartPolicy"].invalid(
                "must not be set to 'RestartContainer' for non-sidecar initContainers");
}

void validate_image_space(const Field& image) {
    const std::string text = image.text();
    if (text.empty()) return;
    const auto blank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    if (blank(text.front()) || blank(text.back()))
        image.invalid("must not have leading or trailing whitespace");
}

}  // namespace

void validate_containers(const Field& containers, const PodContext& context) {
    if (containers.size() == 0) return containers.required();
    std::set<std::string> names;
    for (const Field& container : containers.items()) {
        validate_any_container(container, context);
        const Field name = container["name"];
        if (!names.insert(name.text()).second) name.duplicate(name.text());
        if (const Field lifecycle = container["lifecycle"]) validate_lifecycle(lifecycle, context);
        validate_probes(container, context);
        validate_restart_policy(container);
    }
    validate_host_ports(containers.items());
}

void validate_init_containers(const Field& spec, const PodContext& context) {
    std::set<std::string> names = names_of(spec["containers"]);
    for (const Field& container : spec["initContainers"].items()) {
        validate_any_container(container, context);
        validate_restart_policy(container);
        const Field name = container["name"];
        if (names.contains(name.text())) name.duplicate(name.text());
        else if (!name.text().empty()) names.insert(name.text());
        validate_host_ports({container});
        validate_init_container(container, context);
    }
}

void validate_ephemeral_containers(const Field& spec, const PodContext& context) {
    static constexpr std::string_view unfit[] = {
        "ports",         "resources",      "resizePolicy", "restartPolicy", "restartPolicyRules",
        "livenessProbe", "readinessProbe", "startupProbe", "lifecycle"};
    std::set<std::string> others = names_of(spec["containers"]);
    others.merge(names_of(spec["initContainers"]));
    std::set<std::string> names = others;
    for (const Field& container : spec["ephemeralContainers"].items()) {
        validate_any_container(container, context);
        validate_image_space(container["image"]);
        const Field name = container["name"], target = container["targetContainerName"];
        if (!names.insert(name.text()).second) name.duplicate(name.text());
        if (!target.text().empty() && !others.contains(target.text())) target.not_found();
        for (const std::string_view each : unfit)
            if (const Field value = container[each]; value && value.size() > 0)
                value.forbidden("cannot be set for an Ephemeral Container");
        for (const Field& mount : container["volumeMounts"].items())
            for (const char* path : {"subPath", "subPathExpr"})
                if (!mount[path].text().empty())
                    mount[path].forbidden("cannot be set for an Ephemeral Container");
    }
}

void validate_image_spaces(const Field& containers) {
    for (const Field& container : containers.items()) validate_image_space(container["image"]);
}

}  // namespace shed::admission
