// The pods of a Job: which are missing, which are too many, and what one looks like.
#include "fakes/controllers/job.hpp"

#include <algorithm>

namespace shed::controllers {

namespace {

constexpr Duration backoff_first = std::chrono::seconds(10);
constexpr Duration backoff_most = std::chrono::minutes(10);

void delete_pod(JobWork& work, const Object& pod) {
    work.plan.actions.push_back(Delete{pod.key(), pod.uid()});
    work.plan.actions.push_back(
        EmitEvent{work.job.key(), "Normal", "SuccessfulDelete", "Deleted pod: " + pod.name(), "job-controller"});
    work.deleted.push_back(&pod);
}

void delete_active(JobWork& work, std::size_t keep) {
    std::size_t seen = 0;
    for (const ObjectPtr& pod : work.pods)
        if (is_active(*pod) && ++seen > keep) delete_pod(work, *pod);
}

// When the last failed pod ended, for the back-off before its replacement.
std::optional<Time> last_failure(const JobWork& work) {
    std::optional<Time> last;
    for (const ObjectPtr& pod : work.pods) {
        if (string_at(pod->dom(), "status.phase") != "Failed") continue;
        Time ended = pod->creation_timestamp();
        if (const Json& list = at_path(pod->dom(), "status.containerStatuses"); list.is_array())
            for (const Json& container : list)
                if (const auto time = parse_time(string_at(container, "state.terminated.finishedAt")))
                    ended = std::max(ended, *time);
        last = std::max(last.value_or(ended), ended);
    }
    return last;
}

// True when new pods have to wait; the pass comes back when they need not.
bool backing_off(JobWork& work) {
    const std::int64_t failed =
        int_at(work.status, "failed") + static_cast<std::int64_t>(work.uncounted_count("failed"));
    const auto last = last_failure(work);
    if (failed == 0 || !last) return false;
    const auto doublings = std::min<std::int64_t>(failed - 1, 10);
    const Duration wait = std::min<Duration>(backoff_first * (1LL << doublings), backoff_most);
    if (work.in.now >= *last + wait) return false;
    work.plan.look_again_at = *last + wait;
    return true;
}

void create_pod(JobWork& work, std::int64_t index) {
    for (int attempt = 0;; ++attempt) {
        Json pod = make_pod(work, index, attempt);
        const std::string name = string_at(pod, "metadata.name");
        if (work.cluster.find({&pods(), work.job.ns(), name})) continue;
        work.plan.actions.push_back(Create{std::move(pod)});
        work.plan.actions.push_back(
            EmitEvent{work.job.key(), "Normal", "SuccessfulCreate", "Created pod: " + name, "job-controller"});
        ++work.created;
        return;
    }
}

void create_indexed(JobWork& work, std::int64_t room) {
    const std::set<std::int64_t> done = expand(string_at(work.status, "completedIndexes"));
    std::set<std::int64_t> taken = done;
    for (const ObjectPtr& pod : work.pods)
        if (is_active(*pod)) taken.insert(index_of(*pod));
    for (std::int64_t index = 0; index < int_at(work.spec(), "completions", 1) && room > 0; ++index) {
        if (taken.contains(index)) continue;
        create_pod(work, index);
        --room;
    }
}

}  // namespace

Json make_pod(const JobWork& work, std::int64_t index, int attempt) {
    const std::string job = work.job.name();
    const std::string base = index >= 0 ? job + "-" + std::to_string(index) : job;
    const std::string serial = std::to_string(work.job.generation()) + "/" + std::to_string(work.created) + "/" +
                               std::to_string(int_at(work.status, "failed") +
                                              static_cast<std::int64_t>(work.uncounted_count("failed"))) +
                               "/" + std::to_string(attempt);
    const Json& pod_template = at_path(work.spec(), "template");
    Json metadata = member(pod_template, "metadata").is_object() ? member(pod_template, "metadata") : Json::object();
    metadata["name"] = base + "-" + name_suffix(work.job.uid() + "/" + base + "/" + serial);
    metadata["generateName"] = base + "-";
    metadata["namespace"] = work.job.ns();
    metadata["finalizers"] = {tracking_finalizer};
    metadata["ownerReferences"] = Json::array({owner_reference(work.job)});
    Json spec = member(pod_template, "spec");
    if (index >= 0) {
        metadata["labels"][index_label] = std::to_string(index);
        metadata["annotations"][index_label] = std::to_string(index);
        spec["hostname"] = base;
        const Json variable = {
            {"name", "JOB_COMPLETION_INDEX"},
            {"valueFrom", {{"fieldRef", {{"fieldPath", std::string("metadata.labels['") + index_label + "']"}}}}}};
        for (const char* list : {"initContainers", "containers"})
            if (spec.contains(list))
                for (Json& container : spec[list]) upsert(container["env"], "name", variable);
    }
    return {{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
}

void manage_pods(JobWork& work) {
    const bool ending = work.has("FailureTarget") || work.has("SuccessCriteriaMet");
    if (ending || work.suspended()) {
        delete_active(work, 0);
        // Deleted with the Job's failure they are counted at once, as failed.
        if (ending && !work.suspended())
            for (const Object* pod : work.deleted)
                if (has_finalizer(*pod, tracking_finalizer)) {
                    work.uncounted("failed").push_back(pod->uid());
                    work.released.push_back(pod);
                }
        return;
    }
    std::int64_t active = 0;
    for (const ObjectPtr& pod : work.pods) active += is_active(*pod) ? 1 : 0;
    const Json& completions = member(work.spec(), "completions");
    const std::int64_t succeeded =
        int_at(work.status, "succeeded") + static_cast<std::int64_t>(work.uncounted_count("succeeded"));
    std::int64_t wanted = work.parallelism();
    if (completions.is_number_integer()) wanted = std::min(wanted, completions.get<std::int64_t>() - succeeded);
    else if (succeeded > 0) wanted = active;
    if (active > wanted) {
        delete_active(work, static_cast<std::size_t>(std::max<std::int64_t>(wanted, 0)));
        return;
    }
    if (active == wanted || backing_off(work)) return;
    if (work.indexed()) create_indexed(work, wanted - active);
    else for (std::int64_t i = active; i < wanted; ++i) create_pod(work, -1);
}

}  // namespace shed::controllers
