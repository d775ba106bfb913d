// The Trainer controller: a TrainJob becomes a runtime snapshot, an ssh key, a hostfile and a JobSet, and mirrors the
// JobSet's end.
#include "fakes/controllers/trainjob.hpp"

namespace shed::controllers {

Json TrainjobWork::object(const std::string& api_version, const std::string& kind, const std::string& name) const {
    return {{"apiVersion", api_version},
            {"kind", kind},
            {"metadata",
             {{"name", name}, {"namespace", job.ns()}, {"ownerReferences", Json::array({owner_reference(job)})}}}};
}

EmitEvent TrainjobWork::complaint(const std::string& text) const {
    return EmitEvent{job.key(), "Warning", "TrainJobResourcesCreationFailed",
                     "TrainJob resources reconciliation failed: " + text, "trainer-trainjob-controller", true,
                     "Reconciling"};
}

void TrainjobWork::apply(Json wanted, const std::string& doing) {
    plan.actions.push_back(Apply{std::move(wanted), "trainer", complaint(doing)});
}

namespace {

constexpr const char* own_manager = "trainer.kubeflow.org/trainjob-controller";
constexpr std::size_t note_bytes_max = 950;

const Kind* pod_groups(const std::string& api_version) { return find_kind_by_name(api_version, "PodGroup"); }

bool finished(const Json& conditions) { return is_true(conditions, "Complete") || is_true(conditions, "Failed"); }

bool suspended(const Object& object) { return bool_at(object.dom(), "spec.suspend"); }

void apply_mpi_objects(TrainjobWork& work, const std::string& hostfile) {
    const std::string key_name = work.job.name() + "-mpi-ssh-auth";
    if (!work.find(secrets(), key_name)) {
        const SshKeyPair pair = work.in.make_ssh_key();
        Json secret = work.object("v1", "Secret", key_name);
        secret["type"] = "kubernetes.io/ssh-auth";
        secret["immutable"] = true;
        secret["stringData"] = {{"ssh-privatekey", pair.private_pem}, {"ssh-publickey", pair.public_line}};
        work.apply(std::move(secret));
    }
    const std::string file_name = work.job.name() + "-mpi-hostfile";
    const ObjectPtr known = work.find(config_maps(), file_name);
    // The real controller applies it again and again, which changes nothing; nor does leaving that out.
    if (known && string_at(known->dom(), "data.hostfile") == hostfile) return;
    Json config_map = work.object("v1", "ConfigMap", file_name);
    config_map["data"] = {{"hostfile", hostfile}};
    work.apply(std::move(config_map));
}

void apply_pod_group(TrainjobWork& work, const Json& group) {
    const std::string api_version = string_at(group, "apiVersion");
    const Kind* kind = pod_groups(api_version);
    if (kind == nullptr) return;
    if (work.find(*kind, work.job.name()) && !suspended(work.job)) return;
    Json wanted = work.object(api_version, "PodGroup", work.job.name());
    wanted["spec"] = member(group, "spec");
    work.apply(std::move(wanted));
}

void apply_jobset(TrainjobWork& work, const TrainJobObjects& objects) {
    const ObjectPtr jobset = work.find(jobsets(), work.job.name());
    if (jobset && !suspended(work.job) && !suspended(*jobset)) return;
    Json wanted = work.object(jobsets().api_version(), "JobSet", work.job.name());
    for (const char* map : {"labels", "annotations"})
        if (const Json& value = member(member(objects.jobset_template, "metadata"), map); value.is_object())
            wanted["metadata"][map] = value;
    wanted["spec"] = member(objects.jobset_template, "spec");
    work.apply(std::move(wanted));
    // Unlike trainer: it has the programs these policies are for.
    if (!jobset && !objects.not_emulated.empty())
        work.plan.actions.push_back(EmitEvent{
            work.job.key(), "Warning", "NotEmulated",
            objects.not_emulated + " of the runtime is stored but not emulated: the pods run as if it were not there",
            "trainer-trainjob-controller", true, "Reconciling"});
}

void build(TrainjobWork& work) {
    const Json runtime = runtime_of(work);
    if (runtime.is_null()) return;
    const TrainJobObjects objects = build_trainjob(work.job.dom(), runtime);
    work.error = objects.error;
    if (!work.error.empty()) return;
    if (objects.mpi) apply_mpi_objects(work, objects.hostfile);
    if (!objects.pod_group.is_null()) apply_pod_group(work, objects.pod_group);
    apply_jobset(work, objects);
}

void mirror_end(const Object& jobset, Json& conditions) {
    const bool kept = string_at(condition_in(conditions, "Failed"), "reason") == "DeadlineExceeded";
    const std::pair<const char*, const char*> copies[] = {{"Completed", "Complete"}, {"Failed", "Failed"}};
    for (const auto& [theirs, ours] : copies) {
        const Json& condition = condition_of(jobset.dom(), theirs);
        if (string_at(condition, "status") != "True" || (kept && ours == std::string_view("Failed"))) continue;
        set_condition(conditions, ours, true, string_at(condition, "reason"), string_at(condition, "message"),
                      string_at(condition, "lastTransitionTime"));
    }
}

void mirror_jobs(const Object& jobset, Json& status) {
    status.erase("jobsStatus");
    const Json& theirs = at_path(jobset.dom(), "status.replicatedJobsStatus");
    if (!theirs.is_array()) return;
    for (const Json& entry : theirs) {
        Json copy = Json::object();
        for (const char* field : {"name", "ready", "succeeded", "failed", "active", "suspended"})
            copy[field] = member(entry, field);
        status["jobsStatus"].push_back(std::move(copy));
    }
}

void set_suspension(const TrainjobWork& work, Json& conditions) {
    const std::string now = format_time(work.in.now);
    if (suspended(work.job)) set_condition(conditions, "Suspended", true, "Suspended", "TrainJob is suspended", now);
    else if (is_true(conditions, "Suspended"))
        set_condition(conditions, "Suspended", false, "Resumed", "TrainJob is resumed", now);
}

// activeDeadlineSeconds counts from the creation or from the last resume. True: it has passed just now.
bool pass_deadline(TrainjobWork& work, Json& conditions) {
    const Json& seconds = at_path(work.job.dom(), "spec.activeDeadlineSeconds");
    if (!seconds.is_number_integer() || suspended(work.job) || finished(conditions)) return false;
    Time start = work.job.creation_timestamp();
    const Json& suspension = condition_in(conditions, "Suspended");
    if (string_at(suspension, "status") == "False")
        start = parse_time(string_at(suspension, "lastTransitionTime")).value_or(start);
    const Time deadline = start + std::chrono::seconds(seconds.get<std::int64_t>());
    if (work.in.now < deadline) {
        work.plan.look_again_at = deadline;
        return false;
    }
    set_condition(conditions, "Failed", true, "DeadlineExceeded", "TrainJob exceeded its active deadline",
                  format_time(work.in.now));
    return true;
}

// Written even when objects could not be made.
void write_status(TrainjobWork& work) {
    const Json& before = at_path(work.job.dom(), "status");
    Json status = before.is_object() ? before : Json::object();
    Json conditions = status.contains("conditions") ? status["conditions"] : Json::array();
    set_suspension(work, conditions);
    const ObjectPtr jobset = work.find(jobsets(), work.job.name());
    if (jobset) {
        mirror_end(*jobset, conditions);
        mirror_jobs(*jobset, status);
    }
    if (pass_deadline(work, conditions) && jobset)
        work.plan.regardless.push_back(Delete{jobset->key(), jobset->uid()});
    if (!conditions.empty()) status["conditions"] = std::move(conditions);
    if (status == before || status.empty()) return;
    if (before.is_object())
        for (const auto& [name, value] : before.items())
            if (!status.contains(name)) status[name] = nullptr;
    work.plan.regardless.push_back(MergePatch{work.job.key(), {{"status", std::move(status)}}, "status"});
}

std::string cut(const std::string& text) {
    return text.size() <= note_bytes_max ? text : text.substr(0, note_bytes_max) + " ...";
}

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    const ObjectPtr job = cluster.find(key);
    if (!job || string_at(job->dom(), "spec.managedBy", own_manager) != own_manager) return {};
    TrainjobWork work{cluster, in, *job};
    // Unlike Trainer: what the garbage collector takes in a foreground deletion is not made again. The
    // real controller goes on against it until one of the two is too slow.
    if (!finished(at_path(job->dom(), "status.conditions")) && !job->deleting()) build(work);
    if (!work.error.empty()) {
        work.plan.actions.push_back(work.complaint(cut(work.error)));
        work.plan.failed = work.error;
    }
    write_status(work);
    return std::move(work.plan);
}

std::vector<Key> keys_for(const Snapshot& cluster, const Object& changed) {
    return owner_keys(cluster, changed, trainjobs());
}

std::vector<const Kind*> watched_kinds() {
    std::vector<const Kind*> kinds = {&jobsets(), &config_maps(), &secrets()};
    for (const char* name : {"ClusterTrainingRuntime", "TrainingRuntime"})
        kinds.push_back(&kind_of("trainer.kubeflow.org/v1alpha1", name));
    for (const char* group : {"scheduling.x-k8s.io/v1alpha1", "scheduling.volcano.sh/v1beta1"})
        if (const Kind* kind = pod_groups(group)) kinds.push_back(kind);
    return kinds;
}

}  // namespace

Controller trainjob_controller() {
    return {"trainjob", "trainer", &trainjobs(), watched_kinds(), keys_for, reconcile};
}

}  // namespace shed::controllers
