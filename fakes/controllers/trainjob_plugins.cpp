// The ML policies: MPI's ssh keys and hostfile, and the rendezvous variables of torch, jax and xgboost.
#include "fakes/controllers/trainjob_build.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr const char* completion_index = "metadata.annotations['batch.kubernetes.io/job-completion-index']";
constexpr int rendezvous_port = 29500;

// trainer.numProcPerNode, else the GPUs of a node when the runtime says 1, else what the runtime says.
std::int64_t slots_of(Build& build) {
    const Json& wanted = member(build.trainer(), "numProcPerNode");
    if (wanted.is_number_integer()) return wanted.get<std::int64_t>();
    const std::int64_t runtime = int_at(build.policy, "mpi.numProcPerNode", 1);
    if (runtime != 1) return runtime;
    const Json& own = member(build.trainer(), "resourcesPerNode");
    std::int64_t gpus = 0;
    if (own.is_object()) {
        gpus = gpu_count(own);
    } else {
        for (const PodSet& set : build.pod_sets) {
            if (set.name != "node" && set.ancestor != "trainer") continue;
            if (const Json* container = build.container(set.name, "node")) gpus = gpu_count(member(*container, "resources"));
            break;
        }
    }
    return gpus > 1 ? gpus : runtime;
}

void count_mpi_pods(Build& build) {
    const Json& nodes = member(build.trainer(), "numNodes");
    if (!nodes.is_number_integer()) return;  // The launcher keeps mlPolicy.numNodes: the ancestor label sits there.
    const std::int64_t wanted = nodes.get<std::int64_t>();
    const bool launcher_too = bool_at(build.policy, "mpi.runLauncherAsNode");
    if (PodSet* workers = build.pod_set("node"))
        workers->count = std::max<std::int64_t>(launcher_too ? wanted - 1 : wanted, 1);
    if (PodSet* launcher = build.pod_set("launcher"); launcher != nullptr) launcher->count = 1;
}

Json ssh_volume(const std::string& trainjob) {
    return {{"name", "mpi-ssh-auth"},
            {"secret",
             {{"secretName", trainjob + "-mpi-ssh-auth"},
              {"defaultMode", 0400},
              {"items",
               {{{"key", "ssh-privatekey"}, {"path", "id_rsa"}, {"mode", 0640}},
                {{"key", "ssh-publickey"}, {"path", "id_rsa.pub"}, {"mode", 0644}},
                {{"key", "ssh-publickey"}, {"path", "authorized_keys"}, {"mode", 0644}}}}}}};
}

Json hostfile_volume(const std::string& trainjob) {
    return {{"name", "mpi-hostfile"},
            {"configMap",
             {{"name", trainjob + "-mpi-hostfile"},
              {"items", {{{"key", "hostfile"}, {"path", "hostfile"}, {"mode", 0444}}}}}}};
}

Json field_env(const std::string& name) {
    return {{"name", name}, {"valueFrom", {{"fieldRef", {{"fieldPath", completion_index}}}}}};
}

// torchrun's processes per node: `auto` lets it count GPUs.
std::string processes_per_node(const Build& build, const Json& container) {
    const Json& wanted = member(build.trainer(), "numProcPerNode");
    if (wanted.is_number_integer()) return std::to_string(wanted.get<std::int64_t>());
    const Json& resources = member(container, "resources");
    if (gpu_count(resources) > 0) return "auto";
    std::int64_t cpus = 0;
    for (const char* part : {"limits", "requests"}) {
        const auto quantity = Quantity::from_json(at_path(resources, std::string(part) + ".cpu"));
        if (cpus == 0 && quantity) cpus = quantity->value();
    }
    return std::to_string(std::max<std::int64_t>(cpus, 1));
}

std::vector<Json> torch_env(const Build& build, const PodSet& set, const Json& container, const std::string& master) {
    return {{{"name", "PET_NNODES"}, {"value", std::to_string(set.count)}},
            {{"name", "PET_NPROC_PER_NODE"}, {"value", processes_per_node(build, container)}},
            field_env("PET_NODE_RANK"),
            {{"name", "PET_MASTER_ADDR"}, {"value", master}},
            {{"name", "PET_MASTER_PORT"}, {"value", std::to_string(rendezvous_port)}}};
}

std::vector<Json> jax_env(const PodSet& set, const std::string& master) {
    return {{{"name", "JAX_NUM_PROCESSES"}, {"value", std::to_string(set.count)}},
            field_env("JAX_PROCESS_ID"),
            {{"name", "JAX_COORDINATOR_ADDRESS"}, {"value", master + ":" + std::to_string(rendezvous_port)}}};
}

std::vector<Json> xgboost_env(const PodSet& set, const Json& container, const std::string& master) {
    const std::int64_t gpus = std::max<std::int64_t>(gpu_count(member(container, "resources")), 1);
    return {{{"name", "DMLC_TRACKER_URI"}, {"value", master}},
            {{"name", "DMLC_TRACKER_PORT"}, {"value", std::to_string(rendezvous_port)}},
            field_env("DMLC_TASK_ID"),
            {{"name", "DMLC_NUM_WORKER"}, {"value", std::to_string(set.count * gpus)}}};
}

// Two ports are the same when their number or their name is; unnamed ports all have the same name.
void upsert_port(Json& container, int port) {
    Json& ports = container["ports"];
    if (!ports.is_array()) ports = Json::array();
    for (Json& known : ports) {
        if (int_at(known, "containerPort") != port && !string_at(known, "name").empty()) continue;
        known = {{"containerPort", port}};
        return;
    }
    ports.push_back({{"containerPort", port}});
}

}  // namespace

void apply_mpi(Build& build, std::string& hostfile) {
    const std::string implementation = string_at(build.policy, "mpi.mpiImplementation");
    if (implementation != "OpenMPI") {
        build.error = "MPI implementation for " + implementation + " doesn't supported";
        return;
    }
    count_mpi_pods(build);
    const std::int64_t slots = slots_of(build);
    const bool launcher_too = bool_at(build.policy, "mpi.runLauncherAsNode");
    const std::string key_path = string_at(build.policy, "mpi.sshAuthMountPath", "/root/.ssh");
    for (const PodSet& set : build.pod_sets) {
        const bool launcher = set.name == "launcher";
        if (!launcher && set.name != "node") continue;
        if (!launcher || launcher_too)
            for (std::int64_t pod = 0; pod < set.count; ++pod)
                hostfile += build.endpoint(set, pod) + " slots=" + std::to_string(slots) + "\n";
        Json& pod_spec = *build.pod_spec(set.name);
        upsert(pod_spec["volumes"], "name", ssh_volume(build.name()));
        if (launcher) upsert(pod_spec["volumes"], "name", hostfile_volume(build.name()));
        Json* container = build.container(set.name, "node");
        if (container == nullptr) continue;
        upsert((*container)["volumeMounts"], "mountPath", {{"name", "mpi-ssh-auth"}, {"mountPath", key_path}});
        if (!launcher) continue;
        upsert((*container)["volumeMounts"], "mountPath", {{"name", "mpi-hostfile"}, {"mountPath", "/etc/mpi"}});
        const std::pair<const char*, std::string> variables[] = {
            {"OMPI_MCA_orte_default_hostfile", "/etc/mpi/hostfile"},
            {"OMPI_MCA_orte_keep_fqdn_hostnames", "true"},
            {"OMPI_MCA_orte_set_default_slots", std::to_string(slots)},
            {"OMPI_MCA_plm_rsh_args", "-o ConnectionAttempts=10"}};
        for (const auto& [name, value] : variables)
            upsert((*container)["env"], "name", {{"name", name}, {"value", value}});
    }
}

void apply_process_envs(Build& build) {
    PodSet* set = build.trainer_set();
    Json* container = set == nullptr ? nullptr : build.container(set->name, "node");
    if (container == nullptr) return;
    const std::string master = build.endpoint(*set, 0);
    std::vector<Json> variables;
    if (member(build.policy, "torch").is_object()) variables = torch_env(build, *set, *container, master);
    else if (member(build.policy, "jax").is_object()) variables = jax_env(*set, master);
    else if (member(build.policy, "xgboost").is_object()) variables = xgboost_env(*set, *container, master);
    if (variables.empty()) return;
    // The user's variables come before the plugin's.
    if (const Json& own = member(build.trainer(), "env"); own.is_array())
        for (const Json& entry : own) {
            Json env = entry;
            if (!env.contains("valueFrom")) env["value"] = string_at(entry, "value");
            upsert((*container)["env"], "name", std::move(env));
        }
    for (Json& variable : variables) upsert((*container)["env"], "name", std::move(variable));
    upsert_port(*container, rendezvous_port);
}

}  // namespace shed::controllers
