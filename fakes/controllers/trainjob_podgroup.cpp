// podGroupPolicy: all pods of a TrainJob are scheduled together. A PodGroup says how many there are and what they need.
#include "fakes/controllers/trainjob_build.hpp"
#include "fakes/controllers/scheduler_fit.hpp"

namespace shed::controllers {

namespace {

constexpr const char* coscheduling_label = "scheduling.x-k8s.io/pod-group";
constexpr const char* volcano_annotation = "scheduling.k8s.io/group-name";
constexpr const char* volcano_queue = "scheduling.volcano.sh/queue-name";

// Of one pod, as written in its template: nothing has defaulted it yet.
Resources requests_in(const Json& pod_spec) {
    Json pod = {{"spec", pod_spec}};
    for (const char* list : {"containers", "initContainers"})
        if (pod["spec"].contains(list))
            for (Json& container : pod["spec"][list])
                if (member(container, "resources").is_object()) container["resources"].erase("limits");
    Resources requests = pod_requests(pod);
    requests.erase("pods");
    return requests;
}

std::string quantity_text(const std::string& name, const Quantity& quantity) {
    if (name == "cpu" && quantity.milli() % 1000 != 0)
        return std::to_string(static_cast<std::int64_t>(quantity.milli())) + "m";
    constexpr std::int64_t mebi = 1 << 20, gibi = 1 << 30;
    const std::int64_t value = quantity.value();
    if (name != "memory" && name != "ephemeral-storage") return std::to_string(value);
    if (value % gibi == 0 && value > 0) return std::to_string(value / gibi) + "Gi";
    return value % mebi == 0 && value > 0 ? std::to_string(value / mebi) + "Mi" : std::to_string(value);
}

Json members_of(Build& build) {
    std::int64_t members = 0;
    Resources total;
    for (const PodSet& set : build.pod_sets) {
        members += set.count;
        for (const auto& [name, quantity] : requests_in(*build.pod_spec(set.name)))
            total[name] = total[name] + Quantity(quantity.milli() * set.count);
    }
    Json spec = {{"minMember", members}};
    for (const auto& [name, quantity] : total) spec["minResources"][name] = quantity_text(name, quantity);
    return spec;
}

void mark_pods(Build& build, const char* map, const char* name) {
    for (Json& job : build.spec["replicatedJobs"])
        job["template"]["spec"]["template"]["metadata"][map][name] = build.name();
}

Json volcano_group(Build& build, const Json& policy) {
    Json spec = members_of(build);
    if (const Json& queue = member(build.annotations, volcano_queue); queue.is_string()) spec["queue"] = queue;
    for (const PodSet& set : build.pod_sets)
        if (const std::string name = string_at(*build.pod_spec(set.name), "priorityClassName"); !name.empty())
            spec["priorityClassName"] = name;
    if (const Json& topology = member(policy, "networkTopology"); topology.is_object())
        spec["networkTopology"] = topology;
    return {{"apiVersion", "scheduling.volcano.sh/v1beta1"}, {"kind", "PodGroup"}, {"spec", std::move(spec)}};
}

}  // namespace

void join_pod_group(Build& build) {
    const Json& policy = member(build.runtime_spec, "podGroupPolicy");
    if (member(policy, "coscheduling").is_object()) mark_pods(build, "labels", coscheduling_label);
    if (member(policy, "volcano").is_object()) mark_pods(build, "annotations", volcano_annotation);
}

Json pod_group_for(Build& build) {
    const Json& policy = member(build.runtime_spec, "podGroupPolicy");
    if (const Json& volcano = member(policy, "volcano"); volcano.is_object()) return volcano_group(build, volcano);
    const Json& coscheduling = member(policy, "coscheduling");
    if (!coscheduling.is_object()) return nullptr;
    Json spec = members_of(build);
    spec["scheduleTimeoutSeconds"] = int_at(coscheduling, "scheduleTimeoutSeconds", 60);
    return {{"apiVersion", "scheduling.x-k8s.io/v1alpha1"}, {"kind", "PodGroup"}, {"spec", std::move(spec)}};
}

}  // namespace shed::controllers
