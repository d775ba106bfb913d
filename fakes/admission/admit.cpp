// The order of the real server: defaults, mutating admission, defaults again, validation, validating webhooks.
#include "fakes/admission/crd/schema.hpp"
#include "fakes/admission/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace admission {

namespace {

// What a webhook that cannot decode the object answers.
Result<void> decoded_by(std::string_view webhook, const Kind& kind, const Json& object) {
    const std::string problem = go_decode_error(kind, object);
    if (problem.empty()) return {};
    return Error{Reason::bad_request,
                 "admission webhook \"" + std::string(webhook) + "\" denied the request: " + problem};
}

Result<void> mutate_custom(const AdmissionRequest& request, Json& object) {
    if (request.kind->kind == "TrainJob") {
        auto read = decoded_by("defaulter.trainjob.trainer.kubeflow.org", *request.kind, object);
        if (!read) return read.error();
        default_trainjob(request, object);
    }
    if (request.kind->kind == "JobSet" && request.operation == Operation::create) {
        auto read = decoded_by("mjobset.kb.io", *request.kind, object);
        if (!read) return read.error();
        default_jobset(object);
    }
    return {};
}

Result<void> call_validators(const AdmissionRequest& request, const Json& object,
                             const ClusterView& cluster, std::vector<std::string>& warnings) {
    const std::string_view kind = request.kind->kind;
    if (kind == "TrainJob") return validate_trainjob(request, object, cluster, warnings);
    if (kind == "JobSet") return validate_jobset(request, object);
    if (kind == "TrainingRuntime" || kind == "ClusterTrainingRuntime")
        return validate_runtime(request, object, warnings);
    return {};
}

Result<Admitted> admit_custom(const AdmissionRequest& request, Json& object, const ClusterView& cluster) {
    Admitted admitted;
    const bool status_only = request.subresource == "status";
    default_by_schema(*request.kind, object);
    if (!status_only)
        if (auto mutated = mutate_custom(request, object); !mutated) return mutated.error();
    const auto errors = validate_by_schema(*request.kind, object, request.old_object, status_only,
                                           validate_custom_meta(request, object));
    if (!errors.empty())
        return invalid_fields(*request.kind, string_at(object, "metadata.name"), errors);
    if (status_only) return admitted;
    auto called = call_validators(request, object, cluster, admitted.warnings);
    if (!called) return called.error();
    return admitted;
}

Result<Admitted> admit_builtin(const AdmissionRequest& request, Json& object, const ClusterView& cluster) {
    const Kind& kind = *request.kind;
    if (std::string problem = builtin_decode_error(kind, object); !problem.empty())
        return Error{Reason::bad_request, std::string(kind.kind) + " in version \"" +
                                              std::string(kind.version) + "\" cannot be handled as a " +
                                              std::string(kind.kind) + ": " + problem};
    if (request.operation == Operation::update && kind.kind == "Service") keep_allocated(*request.old_object, object);
    default_builtin(kind, request.operation, object);
    const bool new_pod = request.operation == Operation::create && kind.kind == "Pod";
    if (new_pod)
        if (auto done = admit_pod(request, object, cluster); !done) return done.error();
    const FieldErrors errors = validate_builtin(request, object);
    if (!errors.empty()) return invalid_fields(kind, string_at(object, "metadata.name"), errors);
    return Admitted{};
}

}  // namespace

Error invalid_fields(const Kind& kind, std::string_view name, const FieldErrors& errors) {
    Error error = invalid(kind, name, errors);
    std::vector<std::string> texts;
    for (const FieldError& each : errors) texts.push_back(text_of(each));
    error.message = kind.group_kind() + " \"" + std::string(name) + "\" is invalid: " + aggregate(texts);
    return error;
}

}  // namespace admission

std::string decode_problem(const Kind& kind, const Json& object) {
    return kind.custom ? "" : admission::builtin_decode_error(kind, object);
}

Result<Admitted> admit(const AdmissionRequest& request, Json& object, const ClusterView& cluster) {
    SHED_CHECK(request.kind != nullptr);
    SHED_CHECK(request.operation == Operation::create || request.old_object != nullptr);
    if (request.kind->custom) return admission::admit_custom(request, object, cluster);
    return admission::admit_builtin(request, object, cluster);
}

}  // namespace shed
