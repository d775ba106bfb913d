// What the runtime's machine learning policy demands of a TrainJob (the plugins' Validate).
#include "fakes/admission/internal.hpp"

#include <nlohmann/json.hpp>
#include <set>

namespace shed::admission {

namespace {

struct ReservedEnv {
    std::string_view policy;
    std::set<std::string> names;
};

const std::vector<ReservedEnv>& reserved_env() {
    static const std::vector<ReservedEnv> rows = {
        {"torch",
         {"PET_NNODES", "PET_NPROC_PER_NODE", "PET_NODE_RANK", "PET_MASTER_ADDR", "PET_MASTER_PORT"}},
        {"mpi",
         {"OMPI_MCA_orte_default_hostfile", "OMPI_MCA_plm_rsh_args", "OMPI_MCA_orte_keep_fqdn_hostnames",
          "OMPI_MCA_orte_set_default_slots"}},
    };
    return rows;
}

void check_reserved(const Json& policy, const Json& env, FieldErrors& errors) {
    for (const ReservedEnv& row : reserved_env()) {
        if (!policy.contains(row.policy)) continue;
        std::set<std::string> used;
        for (const Json& each : env)
            if (const std::string name = string_at(each, "name"); row.names.contains(name)) used.insert(name);
        if (used.empty()) continue;
        std::string text;
        for (const std::string& name : used) text += (text.empty() ? "" : " ") + name;
        errors.push_back(invalid_value("spec.trainer.env", env,
                                       "must not have reserved envs, invalid envs configured: [" + text + "]"));
    }
}

void check_xgboost(const Json& env, FieldErrors& errors) {
    static const std::set<std::string> names = {"DMLC_TRACKER_URI", "DMLC_TRACKER_PORT", "DMLC_TASK_ID",
                                                "DMLC_NUM_WORKER"};
    for (std::size_t i = 0; i < env.size(); ++i)
        if (const std::string name = string_at(env[i], "name"); names.contains(name))
            errors.push_back(forbidden(item_path("spec.trainer.env", i),
                                       name + " is reserved for the XGBoost runtime"));
}

bool has_job(const Json& runtime_spec, std::string_view name) {
    for (const Json& job : list_of(runtime_spec, "template.spec.replicatedJobs"))
        if (string_at(job, "name") == name) return true;
    return false;
}

void check_launcher(const Json& mpi, const Json& runtime_spec, const Json& trainer, FieldErrors& errors) {
    const auto nodes = int_at(trainer, "numNodes", 1);
    if (nodes < 2 || !bool_at(mpi, "runLauncherAsNode")) return;
    if (has_job(runtime_spec, "launcher") && has_job(runtime_spec, "node")) return;
    errors.push_back(invalid_value("spec.trainer.numNodes", nodes,
                                   "must have 1 when MPI trainingRuntime with enabled runLauncherAsNode "
                                   "does not have either launcher and node"));
}

bool has_container(const Json& runtime_spec, const std::string& job_name, const std::string& container) {
    for (const Json& job : list_of(runtime_spec, "template.spec.replicatedJobs")) {
        if (string_at(job, "name") != job_name) continue;
        for (const char* list : {"initContainers", "containers"})
            for (const Json& each : list_of(at_path(job, "template.spec.template.spec"), list))
                if (string_at(each, "name") == container) return true;
    }
    return false;
}

void check_env_injection(const Json& runtime_spec, FieldErrors& errors) {
    for (const Json& target : list_of(runtime_spec, "mlPolicy.torch.envInjection.targets"))
        for (const Json& each : list_of(target, "containerNames")) {
            const std::string job = string_at(target, "jobName");
            const std::string container = each.get<std::string>();
            if (has_container(runtime_spec, job, container)) continue;
            errors.push_back(invalid_value("spec.runtimeRef", target,
                                           "envInjection target podSet " + json_quoted(job) + " container " +
                                               json_quoted(container) + " not found in runtime template"));
        }
}

}  // namespace

FieldErrors validate_ml_policy(const Json& runtime_spec, const Json& trainjob) {
    FieldErrors errors;
    const Json& policy = member(runtime_spec, "mlPolicy");
    if (!policy.is_object()) return errors;
    check_env_injection(runtime_spec, errors);
    const Json& trainer = at_path(trainjob, "spec.trainer");
    if (!trainer.is_object()) return errors;
    if (policy.contains("mpi")) check_launcher(policy["mpi"], runtime_spec, trainer, errors);
    const Json& env = list_of(trainer, "env");
    check_reserved(policy, env, errors);
    if (policy.contains("xgboost")) check_xgboost(env, errors);
    return errors;
}

}  // namespace shed::admission
