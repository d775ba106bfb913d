#include "simulator/bench/plan.hpp"

#include <nlohmann/json.hpp>
#include <sstream>

namespace shed::bench {

namespace {

constexpr const char* hostfile = "/etc/mpi/hostfile";
constexpr const char* runtime_name = "trainshed-allreduce";
constexpr const char* open_mpi_image = "mpioperator/openmpi";

std::string number_text(double value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

void replace_images(Json& value, const std::string& image) {
    if (value.is_object() && value.contains("image") && value["image"].is_string()) value["image"] = image;
    if (value.is_structured())
        for (Json& part : value) replace_images(part, image);
}

// A run that fails is no measurement: nobody wants to see it tried again.
void fail_at_once(Json& spec) {
    const Json::json_pointer path("/template/spec/replicatedJobs");
    if (!spec.contains(path)) return;
    for (Json& job : spec[path]) {
        Json& job_spec = job["template"]["spec"];
        job_spec["backoffLimit"] = 0;
        job_spec["template"]["spec"]["restartPolicy"] = "Never";
    }
}

}  // namespace

Places in_pods(const AllReducePlan& plan) {
    Places places;
    places.program = "/opt/trainshed/bin/allreduce";
    places.mlx_program = "/opt/trainshed/bin/mlx_allreduce.py";
    places.python = "python";
    places.pace_library = "/opt/trainshed/bin/libtrainshed_pace.so";
    places.link_file = "/opt/trainshed/" + plan.link;
    return places;
}

std::vector<std::string> mpirun_words(const AllReducePlan& plan, const Places& places, double delay_percent) {
    const bool mlx = plan.backend == "mlx";
    std::vector<std::string> words;
    // Ranks that mpirun starts on other nodes have no variables of the launcher's.
    const auto set = [&](const std::string& name, const std::string& value) {
        words.insert(words.end(), {"-x", name + "=" + value});
    };
    if (!plan.link.empty()) {
        set("TRAINSHED_LINK", places.link_file);
        set(mlx ? "MLX_MPI_LIBNAME" : "LD_PRELOAD", places.pace_library);
    }
    if (mlx && !places.python_path.empty()) set("PYTHONPATH", places.python_path);
    if (mlx) words.insert(words.end(), {places.python, places.mlx_program});
    else words.insert(words.end(), {places.program, "--backend", plan.backend});
    words.insert(words.end(), plan.program_options.begin(), plan.program_options.end());
    if (delay_percent > 0) words.insert(words.end(), {"--delay", number_text(delay_percent)});
    words.push_back("--json");
    return words;
}

Json runtime_for(const AllReducePlan& plan, const Json& mlx_runtime) {
    Json runtime = {{"apiVersion", string_at(mlx_runtime, "apiVersion")},
                    {"kind", string_at(mlx_runtime, "kind")},
                    {"metadata", {{"name", runtime_name}}},
                    {"spec", member(mlx_runtime, "spec")}};
    if (const Json& labels = member(member(mlx_runtime, "metadata"), "labels"); labels.is_object())
        runtime["metadata"]["labels"] = labels;
    fail_at_once(runtime["spec"]);
    if (!plan.launcher_is_node()) runtime["spec"]["mlPolicy"]["mpi"]["runLauncherAsNode"] = false;
    if (plan.backend != "mlx") replace_images(runtime["spec"], open_mpi_image);
    return runtime;
}

Json trainjob_for(const AllReducePlan& plan, const std::string& name) {
    std::vector<std::string> command = {"mpirun", "--hostfile", hostfile};
    const auto words = mpirun_words(plan, in_pods(plan), plan.flow_delay_percent);
    command.insert(command.end(), words.begin(), words.end());
    Json trainer = {{"numNodes", plan.pods()}, {"numProcPerNode", plan.ranks_per_pod()}, {"command", command}};
    if (plan.backend.starts_with("cuda") || plan.backend == "nccl")
        trainer["resourcesPerNode"] = {{"limits", {{"nvidia.com/gpu", 1}}}};
    return {{"apiVersion", "trainer.kubeflow.org/v1alpha1"},
            {"kind", "TrainJob"},
            {"metadata", {{"name", name}, {"namespace", "default"}}},
            {"spec", {{"runtimeRef", {{"name", runtime_name}}}, {"trainer", std::move(trainer)}}}};
}

}  // namespace shed::bench
