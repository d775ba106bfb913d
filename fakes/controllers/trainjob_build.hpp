#pragma once
// From a TrainJob and its runtime to the objects the Trainer controller applies. Rules: kubeflow/trainer pkg/runtime.
#include "fakes/controllers/common.hpp"

namespace shed::controllers {

inline constexpr int rendezvous_port = 29500;

struct TrainJobObjects {
    Json jobset_template = nullptr;  // {metadata{labels,annotations}, spec}
    bool mpi = false;
    std::string hostfile = {};
    Json pod_group = nullptr;        // without metadata; null: none is asked for
    std::string not_emulated = {};   // a policy whose program is not played here
    std::string error = {};          // why the runtime cannot be built; becomes the event's text
};

TrainJobObjects build_trainjob(const Json& trainjob, const Json& runtime);

// ---- parts
struct PodSet {
    std::string name, ancestor;
    std::int64_t count = 1, replicas = 1;
};

struct Build {
    const Json& trainjob;
    const Json& runtime_spec;
    Json spec;                           // of the JobSet, in the making
    Json annotations = Json::object();   // of the JobSet
    std::vector<PodSet> pod_sets = {};
    Json command = nullptr;              // what a plugin made of trainer.command
    std::string error = {};

    const Json& trainer() const { return at_path(trainjob, "spec.trainer"); }
    const Json& policy() const { return member(runtime_spec, "mlPolicy"); }
    bool has_policy(const char* name) const { return member(policy(), name).is_object(); }
    bool runs_launcher_as_node() const { return bool_at(policy(), "mpi.runLauncherAsNode"); }
    std::optional<std::int64_t> nodes_asked() const;  // trainer.numNodes
    std::string name() const { return string_at(trainjob, "metadata.name"); }
    std::string subdomain() const { return string_at(spec, "network.subdomain", name()); }
    // Where processes of torch, jax and xgboost find the first: by the job's name, whatever the runtime calls its parts.
    std::string first_node() const { return name() + "-node-0-0." + name(); }
    PodSet* pod_set(const std::string& set_name);
    PodSet* trainer_set();  // the one whose Job template is labelled as the trainer step
    Json* replicated_job(const std::string& job_name);
    Json* pod_spec(const std::string& job_name);
    // Of the containers, or with `init` of the init containers too.
    Json* container(const std::string& job_name, const std::string& container_name, bool init = false);
    Json* trainer_container();  // container "node" of the trainer step
    // What a node has: the TrainJob's resourcesPerNode, as a whole, or else the runtime's.
    const Json& resources_per_node();
};

std::int64_t gpu_count(const Json& resources);
void add_env(Json& container, Json variable);             // replaces one of that name
void add_trainer_env(Json& container, const Json& env);   // a TrainJob's list
void add_value(Json& container, const std::string& name, const std::string& value);
void add_completion_index(Json& container, const std::string& name);
void add_port(Json& container, int port);

void apply_mpi(Build& build);                             // trainjob_mpi.cpp
std::string mpi_hostfile(Build& build);
void apply_torch(Build& build);                           // trainjob_torch.cpp
Json torchtune_command(Build& build, const std::string& processes, std::int64_t gpus);  // trainjob_torchtune.cpp
void apply_jax(Build& build);                             // trainjob_rendezvous.cpp
void apply_xgboost(Build& build);
void apply_plain(Build& build);
Json pod_group_for(Build& build);                         // trainjob_podgroup.cpp
void join_pod_group(Build& build);

}  // namespace shed::controllers
