// mlPolicy.mpi: ssh keys and a hostfile, so that the launcher's mpirun reaches the nodes.
#include "fakes/controllers/trainjob_build.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

// trainer.numProcPerNode, else the GPUs of a node when the runtime says 1, else what the runtime says.
std::int64_t slots_of(Build& build) {
    const Json& wanted = member(build.trainer(), "numProcPerNode");
    if (wanted.is_number_integer()) return wanted.get<std::int64_t>();
    const std::int64_t by_runtime = int_at(build.policy(), "mpi.numProcPerNode", 1);
    if (by_runtime != 1) return by_runtime;
    return std::max<std::int64_t>(gpu_count(build.resources_per_node()), 1);
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

void fill_launcher(Build& build, Json& container) {
    upsert(container["volumeMounts"], "mountPath", {{"name", "mpi-hostfile"}, {"mountPath", "/etc/mpi"}});
    const std::string implementation = string_at(build.policy(), "mpi.mpiImplementation");
    if (implementation != "OpenMPI") {
        // Unlike trainer: it prints the address of the value, which says nothing.
        build.error = "MPI implementation for " + implementation + " doesn't supported";
        return;
    }
    add_value(container, "OMPI_MCA_orte_default_hostfile", "/etc/mpi/hostfile");
    add_value(container, "OMPI_MCA_orte_keep_fqdn_hostnames", "true");
    add_value(container, "OMPI_MCA_orte_set_default_slots", std::to_string(slots_of(build)));
    add_value(container, "OMPI_MCA_plm_rsh_args", "-o ConnectionAttempts=10");
}

}  // namespace

void apply_mpi(Build& build) {
    // The launcher keeps mlPolicy.numNodes, since it is the trainer step: more than 1 there gives as many launchers.
    if (PodSet* workers = build.pod_set("node"); workers != nullptr && build.nodes_asked()) {
        const std::int64_t nodes = *build.nodes_asked();
        workers->count = build.runs_launcher_as_node() ? std::max<std::int64_t>(nodes - 1, 1) : nodes;
    }
    const std::string key_path = string_at(build.policy(), "mpi.sshAuthMountPath", "/root/.ssh");
    for (const PodSet& set : build.pod_sets) {
        const bool launcher = set.name == "launcher";
        if (!launcher && set.name != "node") continue;
        Json& pod_spec = *build.pod_spec(set.name);
        upsert(pod_spec["volumes"], "name", ssh_volume(build.name()));
        if (launcher) upsert(pod_spec["volumes"], "name", hostfile_volume(build.name()));
        Json* container = build.container(set.name, "node");
        if (container == nullptr) continue;
        upsert((*container)["volumeMounts"], "mountPath", {{"name", "mpi-ssh-auth"}, {"mountPath", key_path}});
        if (launcher) fill_launcher(build, *container);
    }
}

std::string mpi_hostfile(Build& build) {
    std::string text;
    const std::string slots = std::to_string(slots_of(build));
    for (const PodSet& set : build.pod_sets) {
        const bool launcher = set.name == "launcher" && build.runs_launcher_as_node();
        if (!launcher && set.name != "node") continue;
        for (std::int64_t replica = 0; replica < set.replicas; ++replica)
            for (std::int64_t pod = 0; pod < set.count; ++pod)
                text += build.name() + "-" + set.name + "-" + std::to_string(replica) + "-" + std::to_string(pod) +
                        "." + build.subdomain() + " slots=" + slots + "\n";
    }
    return text;
}

}  // namespace shed::controllers
