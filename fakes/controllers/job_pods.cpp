// The pods of a Job: which are missing, which are too many, and what one looks like.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr std::int64_t created_per_pass_max = 500;
constexpr std::size_t generated_prefix_max = 58;  // of 63, leaving room for the five random characters

void delete_pod(JobWork& work, const Object& pod) {
    work.plan.actions.push_back(Delete{pod.key(), pod.uid()});
    work.plan.actions.push_back(
        EmitEvent{work.job.key(), "Normal", "SuccessfulDelete", "Deleted pod: " + pod.name(), "job-controller"});
    --work.active_count;
    ++work.terminating;
    if (condition_true(pod.dom(), "Ready")) --work.ready;
}

// Those furthest from running go first: not scheduled, pending, not ready, then the youngest.
bool goes_before(const ObjectPtr& a, const ObjectPtr& b) {
    const auto rank = [](const Object& pod) {
        const std::string phase = string_at(pod.dom(), "status.phase");
        return std::tuple(!string_at(pod.dom(), "spec.nodeName").empty(), phase == "Running" ? 2 : phase == "Unknown",
                          condition_true(pod.dom(), "Ready"));
    };
    if (rank(*a) != rank(*b)) return rank(*a) < rank(*b);
    return a->creation_timestamp() > b->creation_timestamp();
}

// Pods beyond `keep`. Of an Indexed Job those without a valid index or with one that another has go in any case.
std::vector<ObjectPtr> surplus(const JobWork& work, std::int64_t keep) {
    std::vector<ObjectPtr> left = work.active, gone;
    std::sort(left.begin(), left.end(), goes_before);
    if (work.indexed()) {
        std::map<std::int64_t, ObjectPtr> best;
        for (const ObjectPtr& pod : left) {
            const std::int64_t index = index_of(*pod);
            if (index < 0 || index >= work.completions().value_or(0)) {
                gone.push_back(pod);
                continue;
            }
            ObjectPtr& kept = best[index];
            if (kept) gone.push_back(kept);
            kept = pod;
        }
        std::erase_if(left, [&](const ObjectPtr& pod) {
            return std::find(gone.begin(), gone.end(), pod) != gone.end();
        });
    }
    while (!left.empty() && static_cast<std::int64_t>(left.size()) > keep) {
        gone.push_back(left.front());
        left.erase(left.begin());
    }
    return gone;
}

void create_pod(JobWork& work, std::int64_t index) {
    for (int attempt = 0;; ++attempt) {
        Json pod = make_pod(work, index, attempt);
        const std::string name = string_at(pod, "metadata.name");
        if (work.cluster.find({&pods(), work.job.ns(), name})) continue;
        Create create{std::move(pod)};
        create.refusal = EmitEvent{work.job.key(), "Warning", "FailedCreate", "Error creating: ", "job-controller"};
        work.plan.actions.push_back(std::move(create));
        work.plan.actions.push_back(
            EmitEvent{work.job.key(), "Normal", "SuccessfulCreate", "Created pod: " + name, "job-controller"});
        ++work.active_count;
        return;
    }
}

std::int64_t wanted_pods(const JobWork& work) {
    // A work queue takes no new pods once one has succeeded; the others finish in their own time.
    if (!work.completions()) return work.succeeded > 0 ? work.active_count : work.parallelism();
    return std::clamp<std::int64_t>(*work.completions() - work.succeeded, 0, work.parallelism());
}

void create_missing(JobWork& work, std::int64_t missing) {
    if (!work.limits_each_index())
        if (const Duration wait = remaining(work.backoff, work.in.now); wait > Duration{}) {
            work.look_again(work.in.now + wait);
            return;
        }
    missing = std::min(missing, created_per_pass_max);
    if (!work.indexed()) {
        for (std::int64_t i = 0; i < missing; ++i) create_pod(work, -1);
        return;
    }
    std::vector<std::int64_t> indexes = pending_indexes(work, missing);
    if (work.limits_each_index()) {
        DueIndexes due = due_indexes(work, indexes);
        if (due.now.empty() && due.wait > Duration{}) work.look_again(work.in.now + due.wait);
        indexes = std::move(due.now);
    }
    for (const std::int64_t index : indexes) create_pod(work, index);
}

// "name-3-", shortened so that the whole pod name stays a DNS label.
std::string prefix_of(const std::string& job, std::int64_t index) {
    if (index < 0) return job + "-";
    const std::string tail = "-" + std::to_string(index) + "-";
    const std::string whole = job + tail;
    return whole.size() <= generated_prefix_max ? whole : whole.substr(0, generated_prefix_max - tail.size()) + tail;
}

void add_index_variable(Json& pod_spec) {
    const Json variable = {
        {"name", "JOB_COMPLETION_INDEX"},
        {"valueFrom", {{"fieldRef", {{"fieldPath", std::string("metadata.labels['") + index_label + "']"}}}}}};
    for (const char* list : {"initContainers", "containers"})
        if (pod_spec.contains(list))
            for (Json& container : pod_spec[list])
                if (find_named(member(container, "env"), "JOB_COMPLETION_INDEX") == nullptr)
                    container["env"].push_back(variable);
}

}  // namespace

Json make_pod(const JobWork& work, std::int64_t index, int attempt) {
    const std::string prefix = prefix_of(work.job.name(), index);
    const std::string serial = std::to_string(work.job.resource_version()) + "/" +
                               std::to_string(work.active_count) + "/" + std::to_string(attempt);
    const Json& pod_template = at_path(work.spec(), "template");
    Json metadata = member(pod_template, "metadata").is_object() ? member(pod_template, "metadata") : Json::object();
    metadata["name"] = prefix.substr(0, generated_prefix_max) + name_suffix(work.job.uid() + "/" + prefix + serial);
    metadata["generateName"] = prefix;
    metadata["namespace"] = work.job.ns();
    metadata["finalizers"].push_back(tracking_finalizer);
    metadata["ownerReferences"] = Json::array({owner_reference(work.job)});
    Json spec = member(pod_template, "spec");
    if (index >= 0) {
        metadata["labels"][index_label] = std::to_string(index);
        metadata["annotations"][index_label] = std::to_string(index);
        if (work.limits_each_index()) {
            const auto kept = work.kept_for_replacement.find(index);
            count_failures_in(work, kept == work.kept_for_replacement.end() ? nullptr : kept->second,
                              metadata["annotations"]);
        }
        spec["hostname"] = work.job.name() + "-" + std::to_string(index);
        add_index_variable(spec);
    }
    return {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
}

void delete_active(JobWork& work) {
    for (const ObjectPtr& pod : work.active) delete_pod(work, *pod);
}

void manage_pods(JobWork& work) {
    const std::int64_t wanted = work.suspended() ? 0 : wanted_pods(work);
    const std::vector<ObjectPtr> gone = surplus(work, wanted);
    for (const ObjectPtr& pod : gone) {
        // Taken away by us: it counts for nothing.
        release(work.plan, *pod);
        delete_pod(work, *pod);
    }
    if (!gone.empty() || work.suspended()) return;
    const std::int64_t leaving = work.replaces_failed_only() ? work.terminating : 0;
    if (const std::int64_t missing = wanted - leaving - work.active_count; missing > 0) create_missing(work, missing);
}

}  // namespace shed::controllers
