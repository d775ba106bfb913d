// mlPolicy.torch: torchrun's PET_ variables, for the trainer's container and those envInjection names.
#include "fakes/controllers/trainjob_build.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

std::int64_t cpus_of(const Json& resources) {
    for (const char* part : {"requests", "limits"}) {
        const auto quantity = Quantity::from_json(at_path(resources, std::string(part) + ".cpu"));
        if (quantity && quantity->value() > 0) return quantity->value();
    }
    return 0;
}

// `auto` lets torchrun count GPUs; without any, one process for each cpu.
std::string processes_per_node(Build& build) {
    const Json& wanted = member(build.trainer(), "numProcPerNode");
    if (wanted.is_number_integer()) return std::to_string(wanted.get<std::int64_t>());
    if (gpu_count(build.resources_per_node()) > 0) return "auto";
    return std::to_string(std::max<std::int64_t>(cpus_of(build.resources_per_node()), 1));
}

void add_rank(Json& container, std::int64_t nodes, const std::string& processes) {
    add_value(container, "PET_NNODES", std::to_string(nodes));
    add_value(container, "PET_NPROC_PER_NODE", processes);
    add_completion_index(container, "PET_NODE_RANK");
}

void add_master(const Build& build, Json& container) {
    add_value(container, "PET_MASTER_ADDR", build.first_node());
    add_value(container, "PET_MASTER_PORT", std::to_string(rendezvous_port));
}

void inject(Build& build, std::int64_t nodes, const std::string& processes) {
    const Json& targets = at_path(build.policy(), "torch.envInjection.targets");
    if (!targets.is_array()) return;
    for (const Json& target : targets)
        for (const Json& name : member(target, "containerNames")) {
            const std::string job = string_at(target, "jobName"), wanted = name.get<std::string>();
            Json* container = build.container(job, wanted, true);
            if (container == nullptr) {
                build.error = "envInjection target podSet \"" + job + "\" container \"" + wanted +
                              "\" not found in runtime template";
                return;
            }
            add_rank(*container, nodes, processes);
            add_master(build, *container);
        }
}

}  // namespace

void apply_torch(Build& build) {
    PodSet* set = build.trainer_set();
    if (set != nullptr && build.nodes_asked()) set->count = *build.nodes_asked();
    const std::int64_t nodes = set == nullptr ? 1 : set->count;
    const std::string processes = processes_per_node(build);
    Json* container = build.trainer().is_object() ? build.trainer_container() : nullptr;
    if (container != nullptr) {
        add_trainer_env(*container, member(build.trainer(), "env"));
        add_rank(*container, nodes, processes);
        // torchtune is told the meeting point by its command line.
        if (member(build.trainer(), "command") == Json::array({"tune", "run"}))
            build.command = torchtune_command(build, processes, gpu_count(build.resources_per_node()));
        else add_master(build, *container);
        add_port(*container, rendezvous_port);
    }
    inject(build, nodes, processes);
}

}  // namespace shed::controllers
