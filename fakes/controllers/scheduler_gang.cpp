// Gang scheduling, as the coscheduling plugin does it: the pods of a PodGroup get their nodes together, or none does.
#include "fakes/controllers/scheduler.hpp"

namespace shed::controllers {

namespace {

constexpr const char* group_label = "scheduling.x-k8s.io/pod-group";

std::vector<ObjectPtr> members_of(const Snapshot& cluster, const Object& group) {
    std::vector<ObjectPtr> members;
    for (const ObjectPtr& pod : cluster.list(pods(), group.ns()))
        if (pod->label(group_label) == group.name() && !pod->deleting()) members.push_back(pod);
    return members;
}

struct Placement {
    std::vector<std::pair<ObjectPtr, std::string>> placed = {};  // pod and node
    ObjectPtr first_without = {};
    std::vector<Misfit> misfits = {};  // of that one
};

Placement place(const Snapshot& cluster, const std::vector<ObjectPtr>& members) {
    Placement placement;
    Assumed assumed;
    for (const ObjectPtr& pod : members) {
        if (!waits_for_node(*pod)) continue;
        Choice choice = choose_node(cluster, *pod, assumed);
        if (choice.node.empty()) {
            if (placement.first_without) continue;
            placement.first_without = pod;
            placement.misfits = std::move(choice.misfits);
            continue;
        }
        for (const auto& [name, quantity] : pod_requests(pod->dom()))
            assumed[choice.node][name] = assumed[choice.node][name] + quantity;
        placement.placed.emplace_back(pod, choice.node);
    }
    return placement;
}

std::string nodes_text(const Snapshot& cluster) {
    const std::string count = std::to_string(cluster.list(nodes()).size());
    return "0/" + count + " nodes are available: ";
}

}  // namespace

ObjectPtr pod_group_of(const Snapshot& cluster, const Object& pod) {
    const std::string name(pod.label(group_label));
    if (name.empty()) return nullptr;
    return cluster.find({&kind_of("scheduling.x-k8s.io/v1alpha1", "PodGroup"), pod.ns(), name});
}

std::vector<Key> members_waiting(const Snapshot& cluster, const Object& group) {
    std::vector<Key> keys;
    for (const ObjectPtr& pod : members_of(cluster, group))
        if (waits_for_node(*pod)) keys.push_back(pod->key());
    return keys;
}

Plan schedule_gang(const Snapshot& cluster, const Object& pod, const Object& group, const Inputs& in) {
    Plan plan;
    const std::vector<ObjectPtr> members = members_of(cluster, group);
    const std::int64_t wanted = int_at(group.dom(), "spec.minMember", 1);
    if (static_cast<std::int64_t>(members.size()) < wanted) {
        report_unschedulable(plan, pod,
                             nodes_text(cluster) + "pre-filter pod " + pod.name() +
                                 " cannot find enough sibling pods, current pods number: " +
                                 std::to_string(members.size()) +
                                 ", minMember of group: " + std::to_string(wanted) + ".",
                             in);
        return plan;
    }
    const Placement placement = place(cluster, members);
    const auto without = members.size() - placement.placed.size();
    std::int64_t settled = 0;  // have a node, or have had one
    for (const ObjectPtr& sibling : members)
        if (!string_at(sibling->dom(), "spec.nodeName").empty()) ++settled;
    if (settled + static_cast<std::int64_t>(placement.placed.size()) >= wanted) {
        for (const auto& [sibling, node] : placement.placed) bind_pod(plan, *sibling, node);
        if (without == 0 || !placement.first_without || placement.first_without->uid() != pod.uid()) return plan;
    }
    const bool is_first = placement.first_without && placement.first_without->uid() == pod.uid();
    if (is_first || !placement.first_without) {
        report_unschedulable(plan, pod, unschedulable_message(placement.misfits), in);
    } else {
        report_unschedulable(plan, pod,
                             "PodGroup " + group.ns() + "/" + group.name() + " gets rejected due to Pod " +
                                 placement.first_without->name() + " is unschedulable even after PostFilter",
                             in);
    }
    return plan;
}

}  // namespace shed::controllers
