#pragma once
// What the files of this folder share: the rules that kinds have in common, and each kind's own.
// All follow the order of kube-apiserver v1.36, since the order of causes is part of its answers.
#include "fakes/admission/validate/field.hpp"

#include <map>
#include <optional>
#include <set>

namespace shed::admission {

// A changed object beside what it was.
struct Change {
    const Field& now;
    const Json& old;
    Field operator[](std::string_view name) const { return now[name]; }
};

// ---- metadata.cpp
void validate_object_meta(const Kind& kind, const Field& metadata);
void validate_object_meta_of_any_kind(const Field& metadata);
void validate_object_meta_update(const Field& metadata);
void validate_standard_finalizer(const Field& finalizer);
void validate_standard_finalizers(const Field& metadata);
void validate_labels(const Field& labels);
void validate_annotations(const Field& annotations);

// ---- common.cpp
void validate_label_selector(const Field& selector);
// False for another operator than In, NotIn, Exists and DoesNotExist; complains of values that do
// not go with it.
bool operator_fits(const Field& op, const Field& values);
bool selects(const Json& label_selector, const Json& labels);
void immutable(const Change& change, std::string_view dotted);  // quotes the value as it is
void immutable_as(const Change& change, std::string_view dotted, std::string_view go_type);
void validate_port(const Field& port);           // a number or a name
void validate_relative_path(const Field& path);  // relative, and no ".."
void validate_no_backsteps(const Field& path);
void validate_local_path(const Field& path);  // nor may it start with ".."
void validate_file_mode(const Field& mode);
void validate_preemption_policy(const Field& policy);

// ---- addresses.cpp
void validate_ip(const Field& ip);
void validate_endpoint_ip(const Field& ip);
void validate_cidr(const Field& cidr);
bool is_ipv6(std::string_view text);

// ---- quantities.cpp
void validate_quantity(std::string_view resource, const Field& quantity);
void validate_positive_quantity(const Field& quantity);
void validate_resources(const Field& requirements, const std::set<std::string>& claims,
                        bool of_pod);
bool is_integer_resource(std::string_view name);

// ---- pods
struct PodContext {
    std::map<std::string, const Json*> volumes;  // the valid ones
    std::set<std::string> claims;
    std::string restart_policy, os;
    std::optional<std::int64_t> grace;
    bool host_users = true;
};
void validate_pod_spec(const Field& spec, const Json* pod_metadata);  // nullptr in templates
void validate_pod_template(const Field& pod_template);
void validate_pod(const Field& pod);
void validate_new_pod(const Field& pod);
void validate_pod_update(const Change& pod);
void validate_pod_status(const Field& pod);
void validate_pod_annotations(const Field& annotations, const Field& spec);
std::map<std::string, const Json*> validate_volumes(const Field& volumes, const Json* pod_metadata);
void validate_projected_volume(const Field& projected);
void validate_downward_file(const Field& file, const Field& shown);
void validate_key_to_path(const Field& item);
void validate_containers(const Field& containers, const PodContext& context);
void validate_init_containers(const Field& spec, const PodContext& context);
void validate_ephemeral_containers(const Field& spec, const PodContext& context);
void validate_image_spaces(const Field& containers);
void validate_mounts(const Field& container, const PodContext& context);
void validate_devices(const Field& container, const PodContext& context);
void validate_env(const Field& container);
void validate_field_ref(const Field& reference, std::span<const std::string_view> allowed);
void validate_resource_field_ref(const Field& reference, bool of_volume);
void validate_probes(const Field& container, const PodContext& context);
void validate_lifecycle(const Field& lifecycle, const PodContext& context);
void validate_container_security(const Field& context, bool host_users);
void validate_pod_security(const Field& spec);
void validate_affinity(const Field& affinity);
void validate_node_selector(const Field& selector, bool strict_values);
void validate_topology_spread(const Field& constraints);
void validate_tolerations(const Field& tolerations);
void validate_taint_effect(const Field& effect, bool may_be_empty);
void validate_dns_config(const Field& spec);
void validate_claim_spec(const Field& spec);

// ---- go_diff.cpp
// A unified diff with three lines of context, as the server adds to "may not change" messages.
std::string unified_diff(const std::string& before, const std::string& after);

// ---- kinds
void validate_job(const Field& job);
void validate_job_spec(const Field& spec);  // without the selector
void validate_job_update(const Change& job);
void validate_pod_failure_policy(const Field& spec);
void validate_success_policy(const Field& spec);
void validate_cron_job(const Field& cron_job);
void validate_new_cron_job(const Field& cron_job);
void validate_service(const Field& service);
void validate_service_update(const Change& service);
void validate_service_addresses(const Field& service);
void validate_service_address_update(const Change& service);
bool is_headless(const Json& service);
void validate_config_map(const Field& config_map);
void validate_config_map_update(const Change& config_map);
void validate_secret(const Field& secret);
void validate_secret_update(const Change& secret);
void validate_claim_update(const Change& claim);
void validate_node(const Field& node);
void validate_node_update(const Change& node);
void validate_priority_class(const Field& priority_class);
void validate_priority_class_update(const Change& priority_class);
void validate_lease(const Field& lease);
void validate_event(const Field& event);
void validate_endpoints(const Field& endpoints);
void validate_deployment(const Field& deployment);
void validate_replica_set(const Field& replica_set);
void validate_daemon_set(const Field& daemon_set);
void validate_stateful_set(const Field& stateful_set);
void validate_selector_update(const Change& workload);
void validate_stateful_set_update(const Change& stateful_set);

}  // namespace shed::admission
