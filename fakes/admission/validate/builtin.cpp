// Which rules a built-in kind has, and in which order the real server goes over an object: that
// shows in the causes.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

// Steps of a validation, as letters: M the metadata, as of a new object; m what of it an update is
// judged by; V the values; U what may not change, or only in one direction.
struct KindRules {
    std::string_view kind;
    void (*values)(const Field&) = nullptr;
    void (*update)(const Change&) = nullptr;
    std::string_view on_update = "mMV";
    std::string_view on_create = "MV";
    void (*only_new)(const Field&) = nullptr;  // what only new objects must obey, at last
    bool standard_finalizers = true;  // finalizers without a domain must be Kubernetes' own
};

void validate_namespace(const Field& ns) {
    const Field finalizers = ns["spec"]["finalizers"];
    for (const Field& finalizer : finalizers.items()) {
        const Field at = finalizer.moved(finalizers.path());
        named(at, qualified_name_problems);
        validate_standard_finalizer(at);
    }
}

void validate_claim(const Field& claim) { validate_claim_spec(claim["spec"]); }
void validate_template_object(const Field& object) { validate_pod_template(object["template"]); }

constexpr KindRules rules[] = {
    {"Pod", validate_pod, validate_pod_update, "mMVU", "MV", validate_new_pod},
    {"Job", validate_job, validate_job_update, "MVmU"},
    {"CronJob", validate_cron_job, nullptr, "mV", "MV", validate_new_cron_job},
    {"Service", validate_service, validate_service_update, "mUV"},
    {"ConfigMap", validate_config_map, validate_config_map_update, "mUMV"},
    {"Secret", validate_secret, validate_secret_update, "mUMV"},
    {"Endpoints", validate_endpoints},
    {"Namespace", validate_namespace, nullptr, "MVm"},
    {"Node", validate_node, validate_node_update, "MVmU"},
    {"PersistentVolumeClaim", validate_claim, validate_claim_update, "MVmMVU"},
    {"PodTemplate", validate_template_object},
    {"PriorityClass", validate_priority_class, validate_priority_class_update, "mU"},
    {"Lease", validate_lease, nullptr, "mV", "MV", nullptr, false},
    {"Event", validate_event, nullptr, "V", "VM", nullptr, false},
    {"Deployment", validate_deployment, validate_selector_update, "mVU"},
    {"ReplicaSet", validate_replica_set, validate_selector_update, "mVU"},
    {"DaemonSet", validate_daemon_set, validate_selector_update, "mUV"},
    {"StatefulSet", validate_stateful_set, validate_stateful_set_update, "mVU"},
};

const KindRules& rules_of(const Kind& kind) {
    static constexpr KindRules others;
    const auto* found = std::find_if(std::begin(rules), std::end(rules),
                                     [&](const KindRules& r) { return r.kind == kind.kind; });
    return found == std::end(rules) ? others : *found;
}

void take_steps(std::string_view steps, const KindRules& own, const Kind& kind, const Field& object,
                const Json& old) {
    const Field metadata = object["metadata"];
    for (const char step : steps) {
        if (step == 'M') validate_object_meta(kind, metadata);
        if (step == 'm') validate_object_meta_update(metadata);
        if ((step == 'M' || step == 'm') && own.standard_finalizers)
            validate_standard_finalizers(metadata);
        if (step == 'V' && own.values != nullptr) own.values(object);
        if (step == 'U' && own.update != nullptr) own.update({object, old});
    }
}

void validate_status(const Kind& kind, const Field& object) {
    if (kind.kind == "Pod") return validate_pod_status(object);
    if (kind.kind != "Namespace") return;
    const Field phase = object["status"]["phase"].moved("status.Phase");
    const bool deleting = bool(object["metadata"]["deletionTimestamp"]);
    if (!deleting && !phase.is("Active"))
        phase.invalid(phase.text(), "may only be 'Active' if `deletionTimestamp` is empty");
    if (deleting && !phase.is("Terminating"))
        phase.invalid(phase.text(),
                      "may only be 'Terminating' if `deletionTimestamp` is not empty");
}

// Every update of every kind begins with this.
void validate_any_update(const Field& metadata) {
    validate_object_meta_of_any_kind(metadata);
    validate_object_meta_update(metadata);
}

}  // namespace

FieldErrors validate_builtin(const AdmissionRequest& request, const Json& object) {
    static const Json nothing;
    FieldErrors errors;
    const Kind& kind = *request.kind;
    const KindRules& own = rules_of(kind);
    const Field root(object, "", errors);
    if (request.operation == Operation::create) {
        take_steps(own.on_create, own, kind, root, nothing);
        if (own.only_new != nullptr) own.only_new(root);
        return errors;
    }
    validate_any_update(root["metadata"]);
    take_steps(request.subresource.empty() ? own.on_update : "m", own, kind, root,
               *request.old_object);
    if (!request.subresource.empty()) validate_status(kind, root);
    return errors;
}

FieldErrors validate_custom_meta(const AdmissionRequest& request, const Json& object) {
    FieldErrors errors;
    const Field metadata = Field(object, "", errors)["metadata"];
    if (request.operation == Operation::create) {
        validate_object_meta(*request.kind, metadata);
    } else {
        validate_any_update(metadata);
        validate_object_meta_update(metadata);
    }
    return errors;
}

}  // namespace shed::admission
