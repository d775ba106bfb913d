#pragma once
// kube-scheduler's parts: where one pod goes, and where the pods of a gang go together.
#include "fakes/controllers/scheduler_fit.hpp"

namespace shed::controllers {

// What has been given away in this pass already, by node.
using Assumed = std::map<std::string, Resources>;

struct Choice {
    std::string node = {};  // empty: none
    std::vector<Misfit> misfits = {};
};
Choice choose_node(const Snapshot& cluster, const Object& pod, const Assumed& assumed);

bool waits_for_node(const Object& pod);  // for this scheduler to find it one
void bind_pod(Plan& plan, const Object& pod, const std::string& node);
// Says so once: the same message is not written again.
void report_unschedulable(Plan& plan, const Object& pod, const std::string& message, const Inputs& in);

// ---- scheduler_gang.cpp
// The PodGroup that a pod belongs to; nullptr when it belongs to none that exists.
ObjectPtr pod_group_of(const Snapshot& cluster, const Object& pod);
// All pods of the group that wait are placed, or none.
Plan schedule_gang(const Snapshot& cluster, const Object& pod, const Object& group, const Inputs& in);
std::vector<Key> members_waiting(const Snapshot& cluster, const Object& group);

}  // namespace shed::controllers
