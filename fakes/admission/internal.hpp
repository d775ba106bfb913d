#pragma once
// What the files of fakes/admission share. Nobody outside includes this.
#include "fakes/admission/admission.hpp"
#include "fakes/kube/names.hpp"

#include <functional>

namespace shed::admission {

using FieldErrors = std::vector<FieldError>;

inline constexpr std::string_view quantity_text =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

// ---- paths.cpp: field paths and the bodies of field errors
std::string joined_path(const std::string& path, std::string_view name);  // "a.b"; "b" below the root
std::string item_path(const std::string& path, std::size_t index);        // "a[0]"
std::string key_path(const std::string& path, std::string_view key);      // "a[key]"
std::string json_quoted(std::string_view text);
FieldError invalid_value(std::string field, const Json& shown, std::string_view why);
// `shown` is printed as it stands, for values in Go's member order.
FieldError invalid_text(std::string field, std::string_view shown, std::string_view why);
FieldError required(std::string field, std::string_view why = "");
FieldError forbidden(std::string field, std::string_view why);
FieldError not_supported(std::string field, const Json& shown, const std::vector<std::string_view>& allowed);
FieldError duplicate(std::string field, const Json& shown);
FieldError internal_error(std::string why);  // a plain Go error among field errors
FieldError rules_skipped();
// "e" or "[e1, e2]", each once: how Go prints an aggregate.
std::string aggregate(const std::vector<std::string>& texts);
Error invalid_fields(const Kind& kind, std::string_view name, const FieldErrors& errors);  // 422, each text once
std::string text_of(const FieldError& error);  // "field: message"

// ---- go_json.cpp: JSON with members in the order of the Go structs, as error texts quote values
std::string go_json(const Json& value);

// ---- walking JSON
const Json& list_of(const Json& object, std::string_view dotted);  // the array there, or an empty one
// Calls `visit(value)` for every object that `dotted` leads to; "[*]" after a name goes through a list.
void for_each_at(Json& object, std::string_view dotted, const std::function<void(Json&)>& visit);

// ---- defaults/
// What storing a built-in object does to it: zero values go, quantities get their canonical form, defaults are filled in.
void default_builtin(const Kind& kind, Operation operation, Json& object);
void default_pod_spec(Json& spec);
void default_workload(const Kind& kind, Operation operation, Json& object);
void keep_allocated(const Json& old, Json& service);
void canonical_quantities(Json& value);
// The pod spec inside an object of this kind ("spec", "spec.template.spec"), or "".
std::string_view pod_spec_path(const Kind& kind);
struct DefaultRow {
    std::string_view path;   // below the object or the pod spec; "[*]" goes through lists
    std::string_view value;  // JSON
};
struct KindDefaults {
    std::string_view api_version, kind;
    std::span<const DefaultRow> rows;
    std::string_view status;  // JSON of a new object's status; "" for none
};
std::span<const DefaultRow> pod_spec_rows();
std::span<const DefaultRow> container_rows();
const KindDefaults* kind_defaults(const Kind& kind);
void apply_rows(std::span<const DefaultRow> rows, Json& object);

// ---- plugins/pods.cpp: mutating admission of new pods
Result<void> admit_pod(const AdmissionRequest& request, Json& pod, const ClusterView& cluster);
std::string_view qos_class(const Json& pod_spec);

// ---- webhooks/
void default_trainjob(const AdmissionRequest& request, Json& trainjob);
void default_jobset(Json& jobset);
Result<void> validate_trainjob(const AdmissionRequest& request, const Json& trainjob,
                               const ClusterView& cluster, std::vector<std::string>& warnings);
FieldErrors validate_ml_policy(const Json& runtime_spec, const Json& trainjob);
Result<void> validate_runtime(const AdmissionRequest& request, const Json& runtime,
                              std::vector<std::string>& warnings);
Result<void> validate_jobset(const AdmissionRequest& request, const Json& jobset);
FieldErrors validate_jobset_update(const Json& jobset, const Json& old);
Result<void> default_jobset_pod(Json& pod, const ClusterView& cluster);
Result<void> validate_jobset_pod(const Json& pod, const ClusterView& cluster);
Error denied_by(std::string_view webhook, const std::vector<std::string>& texts);  // 403

// ---- validate/: metadata of all kinds, values of built-in ones
FieldErrors validate_builtin(const AdmissionRequest& request, const Json& object);
FieldErrors validate_custom_meta(const AdmissionRequest& request, const Json& object);
// A member of the wrong type, in the words of Go's decoder; empty when there is none.
std::string builtin_decode_error(const Kind& kind, const Json& object);

}  // namespace shed::admission
