// Exclusive placement: should a follower have been sent to another domain than its leader runs in (the leader came back
// elsewhere), all followers of the Job go and are made again. Rules: sigs.k8s.io/jobset pkg/controllers/pod_controller.go.
#include "fakes/controllers/jobset.hpp"

namespace shed::controllers {

namespace {

constexpr const char* completion_index = "batch.kubernetes.io/job-completion-index";
constexpr const char* job_key = "jobset.sigs.k8s.io/job-key";

std::string annotation(const Object& pod, const char* name) {
    const Json& value = member(at_path(pod.dom(), "metadata.annotations"), name);
    return value.is_string() ? value.get<std::string>() : "";
}

bool is_leader(const Object& pod) { return annotation(pod, completion_index) == "0"; }

bool leads(const Object& pod) {
    return is_leader(pod) && !annotation(pod, exclusive_topology).empty() &&
           annotation(pod, node_selector_strategy).empty() &&
           !string_at(pod.dom(), "spec.nodeName").empty() && !pod.deleting();
}

std::vector<ObjectPtr> followers_of(const Snapshot& cluster, const Object& leader) {
    std::vector<ObjectPtr> followers;
    const OwnerReference* job = leader.controller();
    if (job == nullptr) return followers;
    for (const ObjectPtr& pod : cluster.controlled_by(job->uid, pods()))
        if (pod->label(job_key) == leader.label(job_key) && !is_leader(*pod)) followers.push_back(pod);
    return followers;
}

// A podFailurePolicy can tell by this condition that the pod did not fail by itself.
void delete_follower(Plan& plan, const Object& pod, const Inputs& in) {
    Json updated = pod.dom();
    const Json condition = {{"type", "DisruptionTarget"},
                            {"status", "True"},
                            {"reason", "ExclusivePlacementViolation"},
                            {"message", "Pod violated JobSet exclusive placement policy"},
                            {"lastTransitionTime", format_time(in.now)}};
    if (condition_of(pod.dom(), "DisruptionTarget").is_null()) {
        upsert(updated["status"]["conditions"], "type", condition);
        plan.actions.push_back(Update{std::move(updated), "status"});
    }
    plan.actions.push_back(Delete{pod.key(), pod.uid(), "Background"});
}

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    Plan plan;
    const ObjectPtr leader = cluster.find(key);
    if (!leader || !leads(*leader)) return plan;
    const std::string topology = annotation(*leader, exclusive_topology);
    const ObjectPtr node = cluster.find({&nodes(), "", string_at(leader->dom(), "spec.nodeName")});
    if (!node) return plan;
    const std::string domain(node->label(topology));
    const std::vector<ObjectPtr> followers = followers_of(cluster, *leader);
    bool together = true;
    for (const ObjectPtr& pod : followers) {
        const Json& selected = member(at_path(pod->dom(), "spec.nodeSelector"), topology);
        together = together && selected.is_string() && selected == domain;
    }
    if (together) return plan;
    for (const ObjectPtr& pod : followers)
        if (!pod->deleting()) delete_follower(plan, *pod, in);
    return plan;
}

std::vector<Key> keys_for(const Snapshot&, const Object&) { return {}; }

}  // namespace

Controller jobset_placement_controller() {
    return {"jobset-placement", "jobset", &pods(), {&nodes()}, keys_for, reconcile};
}

}  // namespace shed::controllers
