// mlPolicy.jax, mlPolicy.xgboost, and runtimes with no policy of their own.
#include "fakes/controllers/trainjob_build.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

// The container to tell, when the TrainJob says anything of a trainer.
Json* told_container(Build& build) {
    if (PodSet* set = build.trainer_set(); set != nullptr && build.nodes_asked()) set->count = *build.nodes_asked();
    return build.trainer().is_object() ? build.trainer_container() : nullptr;
}

}  // namespace

void apply_jax(Build& build) {
    Json* container = told_container(build);
    if (container == nullptr) return;
    add_value(*container, "JAX_NUM_PROCESSES", std::to_string(build.trainer_set()->count));
    add_completion_index(*container, "JAX_PROCESS_ID");
    add_value(*container, "JAX_COORDINATOR_ADDRESS", build.first_node() + ":" + std::to_string(rendezvous_port));
    add_port(*container, rendezvous_port);
}

void apply_xgboost(Build& build) {
    Json* container = told_container(build);
    if (container == nullptr) return;
    const std::int64_t workers = std::max<std::int64_t>(gpu_count(build.resources_per_node()), 1);
    add_value(*container, "DMLC_TRACKER_URI", build.first_node());
    add_value(*container, "DMLC_TRACKER_PORT", std::to_string(rendezvous_port));
    add_completion_index(*container, "DMLC_TASK_ID");
    add_value(*container, "DMLC_NUM_WORKER", std::to_string(build.trainer_set()->count * workers));
    add_port(*container, rendezvous_port);
}

void apply_plain(Build& build) {
    if (Json* container = told_container(build)) add_trainer_env(*container, member(build.trainer(), "env"));
}

}  // namespace shed::controllers
