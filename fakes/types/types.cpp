#include "fakes/types/types.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

// The members of the custom kinds' own objects (Trainer v2.3, JobSet v0.12), down to the embedded pod and Job templates.
struct Members {
    std::string_view kind, path, names;
};
constexpr std::string_view top = " apiVersion kind metadata spec status ";
constexpr Members known[] = {
    {"TrainJob", "", top},
    {"TrainJob", "spec",
     " runtimeRef initializer trainer runtimePatches suspend activeDeadlineSeconds managedBy "},
    {"TrainJob", "spec.runtimeRef", " name apiGroup kind "},
    {"TrainJob", "spec.initializer", " dataset model "},
    {"TrainJob", "spec.initializer.dataset", " storageUri env secretRef "},
    {"TrainJob", "spec.initializer.model", " storageUri env secretRef "},
    {"TrainJob", "spec.trainer", " image command args env numNodes resourcesPerNode numProcPerNode "},
    {"TrainJob", "spec.trainer.resourcesPerNode", " limits requests claims "},
    {"TrainJob", "spec.runtimePatches[]", " manager time trainingRuntimeSpec "},
    {"TrainJob", "spec.runtimePatches[].trainingRuntimeSpec", " template "},
    {"TrainJob", "status", " conditions jobsStatus trainerStatus "},
    {"TrainingRuntime", "", " apiVersion kind metadata spec "},
    {"TrainingRuntime", "spec", " mlPolicy podGroupPolicy template "},
    {"TrainingRuntime", "spec.mlPolicy", " numNodes torch mpi flux jax xgboost "},
    {"TrainingRuntime", "spec.mlPolicy.mpi",
     " numProcPerNode mpiImplementation sshAuthMountPath runLauncherAsNode "},
    {"TrainingRuntime", "spec.template", " metadata spec "},
    {"JobSet", "", top},
    {"JobSet", "spec",
     " replicatedJobs network successPolicy failurePolicy startupPolicy suspend coordinator managedBy"
     " ttlSecondsAfterFinished volumeClaimPolicies "},
    {"JobSet", "spec.network", " enableDNSHostnames subdomain publishNotReadyAddresses "},
    {"JobSet", "spec.successPolicy", " operator targetReplicatedJobs "},
    {"JobSet", "spec.replicatedJobs[]", " name groupName template replicas dependsOn "},
};

std::string_view family(const Kind& kind) {
    return kind.kind == "ClusterTrainingRuntime" ? std::string_view("TrainingRuntime") : kind.kind;
}

const Members* members_of(std::string_view kind, const std::string& path) {
    for (const Members& m : known)
        if (m.kind == kind && m.path == path) return &m;
    return nullptr;
}

// Calls `unknown(object, name, path)` for each member the table does not have; `pattern` is the path without indices.
template <class Object, class Unknown>
void visit(std::string_view kind, Object& value, const std::string& pattern, const std::string& path, Unknown unknown) {
    if (value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i)
            visit(kind, value[i], pattern + "[]", path + "[" + std::to_string(i) + "]", unknown);
        return;
    }
    if (!value.is_object()) return;
    const Members* members = members_of(kind, pattern);
    std::vector<std::string> strangers;
    for (auto& [name, child] : value.items()) {
        const std::string below = (path.empty() ? "" : path + ".") + name;
        if (members != nullptr && members->names.find(" " + name + " ") == std::string_view::npos)
            strangers.push_back(name);
        else if (name != "metadata")
            visit(kind, child, (pattern.empty() ? "" : pattern + ".") + name, below, unknown);
    }
    for (const std::string& name : strangers) unknown(value, name, (path.empty() ? "" : path + ".") + name);
}

}  // namespace

const TypeField* Type::find(std::string_view) const { return nullptr; }

const Type* type_of(std::string_view, std::string_view) { return nullptr; }

std::vector<std::string> unknown_fields(const Kind& kind, const Json& object) {
    std::vector<std::string> paths;
    if (!kind.custom) return paths;
    visit(family(kind), object, "", "",
          [&](const Json&, const std::string&, const std::string& path) { paths.push_back(path); });
    return paths;
}

void prune_unknown(const Kind& kind, Json& object) {
    if (!kind.custom) return;
    visit(family(kind), object, "", "",
          [](Json& holder, const std::string& name, const std::string&) { holder.erase(name); });
}

Result<Json> decode_protobuf(std::string_view body) {
    if (!body.starts_with(std::string_view("k8s\0", 4)))
        return Error{Reason::bad_request, "provided data does not appear to be a protobuf message, expected prefix "
                                          "[107 56 115 0]"};
    // Unlike kube-apiserver: no protobuf yet; clients are told what to send instead.
    return Error{Reason::unsupported_media_type,
                 "the body of the request was in an unknown format - accepted media types include: application/json, "
                 "application/yaml"};
}

}  // namespace shed
