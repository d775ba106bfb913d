#pragma once
// From a TrainJob and its runtime to the objects the Trainer controller applies (spec: Trainer's runtime framework).
#include "fakes/controllers/common.hpp"

namespace shed::controllers {

struct TrainJobObjects {
    Json jobset_template;  // {metadata{labels,annotations}, spec}
    bool mpi = false;
    std::string hostfile;
    std::string error;  // why the runtime cannot be built; becomes the event's text
};

TrainJobObjects build_trainjob(const Json& trainjob, const Json& runtime);

// ---- parts
struct PodSet {
    std::string name, ancestor;
    std::int64_t count = 1;
};
struct Build {
    const Json& trainjob;
    const Json& policy;    // spec.mlPolicy
    Json spec;             // of the JobSet, in the making
    std::vector<PodSet> pod_sets;
    std::string error = {};
    const Json& trainer() const { return at_path(trainjob, "spec.trainer"); }
    std::string name() const { return string_at(trainjob, "metadata.name"); }
    std::string subdomain() const { return string_at(spec, "network.subdomain", name()); }
    std::string endpoint(const PodSet& set, std::int64_t pod) const;
    PodSet* pod_set(const std::string& set_name);
    Json* replicated_job(const std::string& job_name);
    Json* pod_spec(const std::string& job_name);
    Json* container(const std::string& job_name, const std::string& container_name);
    PodSet* trainer_set();  // the one whose Job template is labelled as the trainer step
};
std::int64_t gpu_count(const Json& resources);
void apply_mpi(Build& build, std::string& hostfile);
void apply_process_envs(Build& build);  // torch, jax and xgboost

}  // namespace shed::controllers
