// kube-scheduler: one pod at a time, onto the least used node that fits; gangs by scheduler_gang.cpp.
#include "fakes/controllers/scheduler.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr const char* component = "default-scheduler";

// The share of its cpu or memory, whichever is the larger, that a node has given away.
double share_used(const Object& node, const Resources& used) {
    double share = 0;
    const Resources capacity = allocatable(node.dom());
    for (const char* name : {"cpu", "memory", "nvidia.com/gpu"}) {
        const auto total = capacity.find(name);
        const auto taken = used.find(name);
        if (total == capacity.end() || taken == used.end() || total->second == Quantity()) continue;
        share = std::max(share, static_cast<double>(taken->second.milli()) /
                                    static_cast<double>(total->second.milli()));
    }
    return share;
}

Resources given_away(const Snapshot& cluster, const std::string& node, const Assumed& assumed) {
    Resources used = used_on(cluster, node);
    if (const auto more = assumed.find(node); more != assumed.end())
        for (const auto& [name, quantity] : more->second) used[name] = used[name] + quantity;
    return used;
}

}  // namespace

bool waits_for_node(const Object& pod) {
    if (pod.deleting() || !string_at(pod.dom(), "spec.nodeName").empty()) return false;
    if (string_at(pod.dom(), "spec.schedulerName", component) != component) return false;
    const std::string phase = string_at(pod.dom(), "status.phase", "Pending");
    return phase == "Pending" && member(member(pod.dom(), "spec"), "schedulingGates").empty();
}

Choice choose_node(const Snapshot& cluster, const Object& pod, const Assumed& assumed) {
    Choice choice;
    const Resources requests = pod_requests(pod.dom());
    const PlacedPods placed = placed_pods(cluster);
    double best_share = 0;
    std::size_t best_pods = 0;
    for (const ObjectPtr& node : cluster.list(nodes())) {
        const Resources used = given_away(cluster, node->name(), assumed);
        Misfit misfit = fit(pod.dom(), requests, *node, used);
        if (misfit.reasons.empty()) misfit = affinity_misfit(placed, pod, *node);
        if (!misfit.reasons.empty()) {
            choice.misfits.push_back(std::move(misfit));
            continue;
        }
        const double share = share_used(*node, used);
        const auto count = used.find("pods");
        const auto pod_count =
            static_cast<std::size_t>(count == used.end() ? 0 : count->second.value());
        // Equal nodes: the one with fewer pods, then by name, where the real one draws lots.
        if (!choice.node.empty() && std::pair(best_share, best_pods) <= std::pair(share, pod_count))
            continue;
        choice.node = node->name();
        best_share = share;
        best_pods = pod_count;
    }
    return choice;
}

void report_unschedulable(Plan& plan, const Object& pod, const std::string& message,
                          const Inputs& in) {
    const Json& known = condition_of(pod.dom(), "PodScheduled");
    if (string_at(known, "message") == message && string_at(known, "reason") == "Unschedulable")
        return;
    plan.actions.push_back(EmitEvent{pod.key(), "Warning", "FailedScheduling", message, component,
                                     true, "Scheduling"});
    const bool turned = string_at(known, "status") != "False";
    const std::string since = string_at(known, "lastTransitionTime");
    Json condition = {{"type", "PodScheduled"},
                      {"status", "False"},
                      {"lastProbeTime", nullptr},
                      {"lastTransitionTime", turned || since.empty() ? format_time(in.now) : since},
                      {"reason", "Unschedulable"},
                      {"message", message},
                      {"observedGeneration", pod.generation()}};
    Json updated = pod.dom();
    upsert(updated["status"]["conditions"], "type", std::move(condition));
    plan.actions.push_back(Update{std::move(updated), "status"});
}

void bind_pod(Plan& plan, const Object& pod, const std::string& node) {
    plan.actions.push_back(Bind{pod.key(), node});
    plan.actions.push_back(EmitEvent{pod.key(), "Normal", "Scheduled",
                                     "Successfully assigned " + pod.ns() + "/" + pod.name() +
                                         " to " + node,
                                     component, true, "Binding"});
}

namespace {

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    Plan plan;
    const ObjectPtr pod = cluster.find(key);
    if (!pod || !waits_for_node(*pod)) return plan;
    if (const ObjectPtr group = pod_group_of(cluster, *pod))
        return schedule_gang(cluster, *pod, *group, in);
    const Choice choice = choose_node(cluster, *pod, {});
    if (choice.node.empty())
        report_unschedulable(plan, *pod, unschedulable_message(choice.misfits), in);
    else bind_pod(plan, *pod, choice.node);
    return plan;
}

// Room may have come about: a node changed, or a bound pod ended or left.
bool may_make_room(const Snapshot& cluster, const Object& changed) {
    if (&changed.kind() == &nodes()) return true;
    if (&changed.kind() != &pods() || string_at(changed.dom(), "spec.nodeName").empty())
        return false;
    const std::string phase = string_at(changed.dom(), "status.phase");
    return phase == "Succeeded" || phase == "Failed" || !cluster.find(changed.key());
}

const Kind& pod_groups() { return kind_of("scheduling.x-k8s.io/v1alpha1", "PodGroup"); }

std::vector<Key> keys_for(const Snapshot& cluster, const Object& changed) {
    if (&changed.kind() == &pod_groups()) return members_waiting(cluster, changed);
    if (!may_make_room(cluster, changed)) return {};
    std::vector<ObjectPtr> queue;
    for (const ObjectPtr& pod : cluster.list(pods()))
        if (waits_for_node(*pod)) queue.push_back(pod);
    // kube-scheduler's PrioritySort: the more important first, then the older.
    std::stable_sort(queue.begin(), queue.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
        const std::int64_t pa = int_at(a->dom(), "spec.priority");
        const std::int64_t pb = int_at(b->dom(), "spec.priority");
        return pa != pb ? pa > pb : a->creation_timestamp() < b->creation_timestamp();
    });
    std::vector<Key> keys;
    for (const ObjectPtr& pod : queue) keys.push_back(pod->key());
    return keys;
}

}  // namespace

Controller scheduler() {
    return {"scheduler", "kube-scheduler",    &pods(), {&nodes(), &pod_groups()},
            keys_for,    reconcile};
}

}  // namespace shed::controllers
