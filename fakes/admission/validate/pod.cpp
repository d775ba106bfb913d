// Pods and pod templates, in the order of the real server.
#include "fakes/admission/validate/rules.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view restart_policies[] = {"Always", "OnFailure", "Never"};
constexpr std::string_view dns_policies[] = {"ClusterFirstWithHostNet", "ClusterFirst", "Default",
                                             "None"};
constexpr std::string_view systems[] = {"linux", "windows"};
constexpr std::size_t hostname_override_max = 64;
constexpr std::string_view mirror = "kubernetes.io/config.mirror";
constexpr std::string_view deletion_cost = "controller.kubernetes.io/pod-deletion-cost";

void validate_resource_claims(const Field& claims) {
    std::set<std::string> names;
    for (const Field& claim : claims.items()) {
        const Field name = claim["name"];
        const Field source = claim["resourceClaimName"],
                    pattern = claim["resourceClaimTemplateName"];
        if (name.text().empty()) name.required();
        else if (!names.insert(name.text()).second) name.duplicate();
        else named(name, dns_label_problems);
        if (source && pattern)
            claim.invalid_as("core.PodResourceClaim",
                             "at most one of `resourceClaimName` or `resourceClaimTemplateName` "
                             "may be specified");
        if (!source && !pattern)
            claim.invalid_as(
                "core.PodResourceClaim",
                "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
        if (source) named(source, dns_subdomain_problems);
        if (pattern) named(pattern, dns_subdomain_problems);
    }
}

PodContext context_of(const Field& spec, std::map<std::string, const Json*> volumes) {
    PodContext context;
    context.volumes = std::move(volumes);
    for (const Field& claim : spec["resourceClaims"].items())
        if (!claim["name"].text().empty()) context.claims.insert(claim["name"].text());
    context.restart_policy = spec["restartPolicy"].text();
    context.os = spec["os"]["name"].text();
    if (const Field grace = spec["terminationGracePeriodSeconds"]) context.grace = grace.number();
    context.host_users = spec["hostUsers"].flag(true);
    return context;
}

// On the host's network a container's port is the host's.
void validate_host_network(const Field& spec, bool whole_pod) {
    if (!spec["hostNetwork"].flag()) return;
    for (const Field& container : spec["containers"].items())
        for (const Field& port : container["ports"].items()) {
            const std::int64_t host = port["hostPort"].number();
            if ((whole_pod || host != 0) && host != port["containerPort"].number())
                port["hostPort"].invalid(host,
                                         "must match `containerPort` when `hostNetwork` is true");
        }
}

void validate_gates(const Field& spec) {
    for (const Field& gate : spec["readinessGates"].items())
        named(gate["conditionType"], qualified_name_problems);
    std::set<std::string> seen;
    for (const Field& gate : spec["schedulingGates"].items()) {
        const Field name = gate["name"].moved(gate.path());
        named(name, qualified_name_problems);
        if (!seen.insert(name.text()).second) name.duplicate();
    }
}

void validate_host_users(const Field& spec) {
    if (spec["hostUsers"].flag(true)) return;
    constexpr std::string_view why = "when `hostUsers` is false";
    if (spec["hostNetwork"].flag()) spec["hostNetwork"].forbidden(why);
    if (spec["hostPID"].flag()) spec["HostPID"].forbidden(why);
    if (spec["hostIPC"].flag()) spec["HostIPC"].forbidden(why);
    for (const char* list : {"containers", "initContainers", "ephemeralContainers"})
        for (const Field& container : spec[list].items())
            if (container["volumeDevices"].size() > 0) container["volumeDevices"].forbidden(why);
}

void validate_hostname_override(const Field& spec) {
    const Field name = spec["hostnameOverride"];
    if (!name) return;
    if (spec["setHostnameAsFQDN"].flag())
        name.forbidden("may not be specified when setHostnameAsFQDN is true");
    if (spec["hostNetwork"].flag()) name.forbidden("may not be specified when hostNetwork is true");
    if (name.size() > hostname_override_max) name.too_long(hostname_override_max);
    named(name, dns_subdomain_problems);
}

void validate_names(const Field& spec) {
    named_if_set(spec["serviceAccountName"], dns_subdomain_problems);
    named_if_set(spec["nodeName"], dns_subdomain_problems);
    if (const Field deadline = spec["activeDeadlineSeconds"]) deadline.in_range(1, int32_max);
    named_if_set(spec["hostname"], dns_label_problems);
    named_if_set(spec["subdomain"], dns_label_problems);
    validate_tolerations(spec["tolerations"]);
    for (const Field& alias : spec["hostAliases"].items()) {
        validate_ip(alias["ip"]);
        for (const Field& host : alias["hostnames"].items()) named(host, dns_subdomain_problems);
    }
    named_if_set(spec["priorityClassName"], dns_subdomain_problems);
    if (const Field runtime = spec["runtimeClassName"]) named(runtime, dns_subdomain_problems);
    validate_preemption_policy(spec["preemptionPolicy"]);
}

void validate_overhead(const Field& overhead) {
    if (!overhead) return;
    const Json limits = {{"limits", overhead.json()}};
    validate_resources(overhead.with(limits), {}, false);
}

void validate_os(const Field& os) {
    if (!os) return;
    if (os["name"].text().empty()) return os["name"].required();
    os["name"].moved(os.path()).one_of_if_set(systems);
}

// A variable can be read only from a file of an emptyDir.
void validate_file_variables(const Field& spec, const PodContext& context) {
    for (const char* list : {"initContainers", "containers", "ephemeralContainers"})
        for (const Field& container : spec[list].items())
            for (const Field& variable : container["env"].items()) {
                const Field name = variable["valueFrom"]["fileKeyRef"]["volumeName"];
                if (!variable["valueFrom"]["fileKeyRef"]) continue;
                const auto volume = context.volumes.find(name.text());
                if (volume == context.volumes.end()) name.not_found();
                else if (!volume->second->contains("emptyDir"))
                    name.invalid("referenced volume must be of type emptyDir");
            }
}

void validate_token_volumes(const Field& spec) {
    if (!spec["serviceAccountName"].text().empty()) return;
    for (const Field& volume : spec["volumes"].items())
        for (const Field& source : volume["projected"]["sources"].items())
            if (const Field token = source["serviceAccountToken"])
                token.forbidden("must not be specified when serviceAccountName is not set");
}

}  // namespace

void validate_pod_annotations(const Field& annotations, const Field& spec) {
    const Field mirrored = annotations.entry(mirror), cost = annotations.entry(deletion_cost);
    if (mirrored && spec["nodeName"].text().empty())
        mirrored.invalid("must set spec.nodeName if mirror pod annotation is set");
    if (!cost) return;
    const std::string text = cost.text();
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool canonical = text == std::to_string(number);
    if (error != std::errc() || end != text.data() + text.size() || !canonical)
        cost.invalid("must be a 32bit integer");
}

void validate_pod_spec(const Field& spec, const Json* pod_metadata) {
    if (!spec["terminationGracePeriodSeconds"]) spec["terminationGracePeriodSeconds"].required();
    const PodContext context = context_of(spec, validate_volumes(spec["volumes"], pod_metadata));
    validate_resource_claims(spec["resourceClaims"]);
    validate_containers(spec["containers"], context);
    validate_init_containers(spec, context);
    validate_ephemeral_containers(spec, context);
    if (const Field resources = spec["resources"])
        validate_resources(resources, context.claims, true);
    validate_host_network(spec, pod_metadata != nullptr);
    spec["restartPolicy"].one_of(restart_policies);
    spec["dnsPolicy"].one_of(dns_policies);
    validate_labels(spec["nodeSelector"]);
    validate_pod_security(spec);
    validate_affinity(spec["affinity"]);
    validate_dns_config(spec);
    validate_gates(spec);
    validate_topology_spread(spec["topologySpreadConstraints"]);
    validate_host_users(spec);
    validate_hostname_override(spec);
    validate_names(spec);
    validate_overhead(spec["overhead"]);
    validate_os(spec["os"]);
    validate_file_variables(spec, context);
}

void validate_pod_template(const Field& pod_template) {
    const Field metadata = pod_template["metadata"], spec = pod_template["spec"];
    // The real server forgets that these stand in the template's metadata.
    const Field annotations =
        metadata["annotations"].moved(joined_path(pod_template.path(), "annotations"));
    validate_labels(metadata["labels"].moved(joined_path(pod_template.path(), "labels")));
    validate_annotations(annotations);
    validate_pod_annotations(annotations, spec);
    validate_pod_spec(spec, nullptr);
    if (spec["ephemeralContainers"].size() > 0)
        spec["ephemeralContainers"].forbidden("ephemeral containers not allowed in pod template");
}

void validate_pod(const Field& pod) {
    const Field metadata = pod["metadata"], spec = pod["spec"];
    validate_pod_annotations(metadata["annotations"], spec);
    validate_pod_spec(spec, &metadata.json());
    validate_token_volumes(spec);
    validate_image_spaces(spec["containers"]);
    validate_image_spaces(spec["initContainers"]);
}

void validate_new_pod(const Field& pod) {
    const Field spec = pod["spec"];
    if (spec["ephemeralContainers"].size() > 0)
        spec["ephemeralContainers"].forbidden("cannot be set on create");
    if (!spec["nodeName"].text().empty() && spec["schedulingGates"].size() > 0)
        spec["nodeName"].forbidden("cannot be set until all schedulingGates have been cleared");
}

}  // namespace shed::admission
