#include "simulator/render.hpp"

#include "fakes/yaml/yaml.hpp"
#include "simulator/commands.hpp"
#include "simulator/manifest.hpp"
#include "simulator/paper/node.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

namespace shed {

namespace {

// Longer than any chain of an initializer, the workers' probes and the launcher.
constexpr auto long_enough = std::chrono::seconds(30);

constexpr auto of_a_running_cluster =
    std::to_array<std::string_view>({"Event", "Lease", "Endpoints", "EndpointSlice", "Node", "ServiceAccount"});

// Does a replicatedJob wait until the one that this pod is of is complete?
bool must_complete(const PaperCluster& cluster, const Object& pod) {
    const ObjectPtr jobset =
        cluster.find("jobset.x-k8s.io/v1alpha2", "JobSet", pod.ns(),
                     std::string(pod.label("jobset.sigs.k8s.io/jobset-name")));
    if (!jobset) return false;
    const std::string_view own = pod.label("jobset.sigs.k8s.io/replicatedjob-name");
    for (const Json& job : member(member(jobset->dom(), "spec"), "replicatedJobs"))
        for (const Json& wait : member(job, "dependsOn"))
            if (string_at(wait, "name") == own && string_at(wait, "status") == "Complete") return true;
    return false;
}

PaperRuntime::Behaviour behaviour_of(const PaperCluster& cluster, const Object& pod) {
    PaperRuntime::Behaviour behaviour;
    if (must_complete(cluster, pod)) behaviour.runs = std::chrono::seconds(1);
    return behaviour;
}

void drop_run_time(Json& json) {
    json.erase("status");
    Json& metadata = json["metadata"];
    for (const char* field : {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields",
                              "deletionTimestamp", "deletionGracePeriodSeconds"})
        metadata.erase(field);
    if (metadata.contains("ownerReferences"))
        for (Json& owner : metadata["ownerReferences"]) owner.erase("uid");
}

// The snapshot of a TrainJob's runtime is a whole object as text.
void drop_run_time_of_snapshot(Json& config_map) {
    const std::string text = string_at(config_map, "data.runtime");
    auto runtime = parse_yaml(text);
    if (text.empty() || !runtime || !member(*runtime, "metadata").is_object()) return;
    drop_run_time(*runtime);
    config_map["data"]["runtime"] = dump_yaml(*runtime);
}

Json without_run_time(const Object& object) {
    Json json = object.dom();
    drop_run_time(json);
    const std::string_view kind = object.kind().kind;
    if (kind == "Pod") json["spec"].erase("nodeName");
    if (kind == "ConfigMap") drop_run_time_of_snapshot(json);
    if (kind == "Secret" && json.contains("data"))
        for (Json& value : json["data"]) value = "REDACTED";
    return json;
}

bool of_the_manifest(const Object& object) {
    return std::ranges::find(of_a_running_cluster, object.kind().kind) == of_a_running_cluster.end();
}

Rendering rendering_of(const PaperCluster& cluster, std::size_t first) {
    std::vector<std::string> order;
    std::map<std::string, ObjectPtr> latest;
    Rendering rendering;
    for (std::size_t i = first; i < cluster.history().size(); ++i) {
        const PaperCluster::Change& change = cluster.history()[i];
        const Object& object = *change.object;
        if (object.kind().kind == "Event" && string_at(object.dom(), "type") == "Warning")
            rendering.warnings.push_back(string_at(object.dom(), "involvedObject.kind") + " " +
                                         string_at(object.dom(), "involvedObject.name") + ": " +
                                         string_at(object.dom(), "reason") + ": " +
                                         string_at(object.dom(), "message"));
        if (change.type == StoreEvent::Type::deleted || !of_the_manifest(object)) continue;
        if (latest.insert_or_assign(object.uid(), change.object).second) order.push_back(object.uid());
    }
    for (const std::string& uid : order) rendering.objects.push_back(without_run_time(*latest[uid]));
    return rendering;
}

}  // namespace

Result<Rendering> render(const std::vector<Json>& manifest) {
    PaperCluster cluster;
    PaperNode node(cluster, [&](const Object& pod, int) { return behaviour_of(cluster, pod); });
    const std::size_t first = cluster.history().size();
    for (const Json& object : manifest)
        if (auto made = cluster.create(object); !made) return made.error();
    cluster.run_for(long_enough);
    return rendering_of(cluster, first);
}

int command_render(const RenderOptions& options) {
    const Terminal terminal(options.common.plain, options.common.quiet);
    const auto manifest = read_manifest(options.file);
    if (!manifest) return report(terminal, manifest.error());
    const auto rendering = render(*manifest);
    if (!rendering) {
        report(terminal, rendering.error());
        return exit_usage;
    }
    if (options.common.output == "json") {
        const Json list = {{"apiVersion", "v1"}, {"kind", "List"}, {"items", rendering->objects}};
        std::cout << list.dump(2) << "\n";
    } else {
        for (const Json& object : rendering->objects) std::cout << "---\n" << dump_yaml(object);
    }
    for (const std::string& warning : rendering->warnings) terminal.warn("warning", warning);
    return exit_ok;
}

}  // namespace shed
