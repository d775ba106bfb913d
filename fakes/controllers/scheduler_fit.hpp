#pragma once
// Whether a pod fits a node, and what each would use. Pure; the rules are kube-scheduler's default
// plugins NodeUnschedulable, NodeName, TaintToleration, NodeAffinity and NodeResourcesFit.
#include "fakes/controllers/common.hpp"

namespace shed::controllers {

using Resources = std::map<std::string, Quantity>;  // "cpu", "memory", "nvidia.com/gpu", "pods"

// What the scheduler counts for a pod: the larger of its containers' sum and its largest init step,
// with sidecars, overhead, and one of "pods".
Resources pod_requests(const Json& pod);
Resources allocatable(const Json& node);
Resources used_on(const Snapshot& cluster, const std::string& node);

struct Misfit {
    std::vector<std::string> reasons = {};  // as kube-scheduler words them; empty when it fits
    bool preemption_helps = false;          // false: no eviction could ever make room
};
Misfit fit(const Json& pod, const Resources& requests, const Object& node, const Resources& used);

// Pods that have a node and have not ended, with their nodes.
using PlacedPods = std::vector<std::pair<ObjectPtr, ObjectPtr>>;
PlacedPods placed_pods(const Snapshot& cluster);
// Required pod affinity and anti-affinity, the incoming pod's and those of pods that are there.
Misfit affinity_misfit(const PlacedPods& placed, const Object& pod, const Object& node);

// "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) ... preemption: ...".
std::string unschedulable_message(const std::vector<Misfit>& misfits);

}  // namespace shed::controllers
