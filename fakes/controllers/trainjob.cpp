// The Trainer controller: a TrainJob becomes a runtime snapshot, an ssh key, a hostfile and a JobSet, and mirrors the
// JobSet's end.
#include "fakes/controllers/trainjob_build.hpp"
#include "fakes/yaml/yaml.hpp"

namespace shed::controllers {

namespace {

constexpr const char* own_manager = "trainer.kubeflow.org/trainjob-controller";
constexpr std::size_t note_bytes_max = 950;

// Upstream writes the snapshot from its Go structs, which show these members even when empty.
Json as_written(Json runtime) {
    const auto show = [](Json& object, const char* name) {
        if (!object[name].is_object()) object[name] = Json::object();
    };
    Json& jobset = runtime["spec"]["template"];
    show(jobset, "metadata");
    for (Json& replicated_job : jobset["spec"]["replicatedJobs"]) {
        Json& job_template = replicated_job["template"];
        show(job_template, "metadata");
        Json& pod = job_template["spec"]["template"];
        show(pod, "metadata");
        for (const char* list : {"initContainers", "containers"})
            if (pod["spec"].contains(list))
                for (Json& container : pod["spec"][list]) show(container, "resources");
    }
    return runtime;
}

struct Trainjob {
    const Snapshot& cluster;
    const Inputs& in;
    const Object& job;
    Plan plan = {};
    std::string error = {};

    Json object(const Kind& kind, const std::string& name) const {
        return {{"apiVersion", kind.api_version()},
                {"kind", kind.kind},
                {"metadata",
                 {{"name", name}, {"namespace", job.ns()}, {"ownerReferences", Json::array({owner_reference(job)})}}}};
    }
    ObjectPtr find(const Kind& kind, const std::string& name) const { return cluster.find({&kind, job.ns(), name}); }
    void apply(Json wanted) { plan.actions.push_back(Apply{std::move(wanted), "trainer"}); }

    Json live_runtime();
    Json runtime();
    void build();
    void write_status();
    bool mirror(Json& conditions) const;
    bool check_deadline(Json& conditions);
};

bool finished(const Json& dom) { return condition_true(dom, "Complete") || condition_true(dom, "Failed"); }

Json Trainjob::live_runtime() {
    const Json& reference = at_path(job.dom(), "spec.runtimeRef");
    const std::string kind_name = string_at(reference, "kind", "ClusterTrainingRuntime");
    const Kind* kind = find_kind_by_name("trainer.kubeflow.org/v1alpha1", kind_name);
    const std::string name = string_at(reference, "name");
    const ObjectPtr found =
        kind == nullptr ? nullptr : cluster.find({kind, kind->namespaced ? job.ns() : "", name});
    if (found) return found->dom();
    const std::string missing = kind == nullptr ? kind_name : not_found(*kind, name).message;
    error = kind_name == "TrainingRuntime" ? "TrainingRuntime specified in TrainJob is not found: " + missing
                                           : "not found ClusterTrainingRuntime specified in TrainJob: " + missing;
    return {};
}

// The runtime as it was when the job began: read from the snapshot ConfigMap, which is written once.
Json Trainjob::runtime() {
    const std::string name = job.name() + "-runtime-snapshot";
    const ObjectPtr snapshot = find(config_maps(), name);
    if (!snapshot) {
        Json live = live_runtime();
        if (live.is_null()) return live;
        Json config_map = object(config_maps(), name);
        config_map["data"] = {{"runtime", dump_yaml(as_written(live))}};
        apply(std::move(config_map));
        return live;
    }
    const std::string prefix = string_at(job.dom(), "spec.runtimeRef.kind") == "TrainingRuntime"
                                   ? "unable to get runtime snapshot: "
                                   : "getting runtime snapshot: invalid runtime snapshot: ";
    const OwnerReference* owner = snapshot->controller();
    if (owner == nullptr || owner->uid != job.uid()) {
        error = prefix + "a snapshot configmap exists but is owned by another object";
        return {};
    }
    const Json& text = at_path(snapshot->dom(), "data.runtime");
    if (!text.is_string()) {
        error = prefix + "snapshot ConfigMap missing \"runtime\" data key";
        return {};
    }
    auto parsed = parse_yaml(text.get_ref<const std::string&>());
    if (!parsed) {
        error = prefix + "unable to unmarshal the snapshot: " + parsed.error().message;
        return {};
    }
    return std::move(*parsed);
}

void Trainjob::build() {
    const Json runtime_object = runtime();
    if (runtime_object.is_null()) return;
    TrainJobObjects objects = build_trainjob(job.dom(), runtime_object);
    if (!objects.error.empty()) {
        error = objects.error;
        return;
    }
    if (objects.mpi) {
        const std::string key_name = job.name() + "-mpi-ssh-auth";
        if (!find(secrets(), key_name)) {
            const SshKeyPair pair = in.make_ssh_key();
            Json secret = object(secrets(), key_name);
            secret["type"] = "kubernetes.io/ssh-auth";
            secret["immutable"] = true;
            secret["stringData"] = {{"ssh-privatekey", pair.private_pem}, {"ssh-publickey", pair.public_line}};
            apply(std::move(secret));
        }
        const std::string file_name = job.name() + "-mpi-hostfile";
        const ObjectPtr known = find(config_maps(), file_name);
        // The real controller applies it again and again, which changes nothing; nor does leaving that out.
        if (!known || string_at(known->dom(), "data.hostfile") != objects.hostfile) {
            Json config_map = object(config_maps(), file_name);
            config_map["data"] = {{"hostfile", objects.hostfile}};
            apply(std::move(config_map));
        }
    }
    const ObjectPtr jobset = find(jobsets(), job.name());
    const bool suspended = bool_at(job.dom(), "spec.suspend") || (jobset && bool_at(jobset->dom(), "spec.suspend"));
    if (jobset && !suspended) return;
    Json wanted = object(jobsets(), job.name());
    for (const char* map : {"labels", "annotations"})
        if (const Json& value = at_path(objects.jobset_template, std::string("metadata.") + map); value.is_object())
            wanted["metadata"][map] = value;
    wanted["spec"] = objects.jobset_template["spec"];
    apply(std::move(wanted));
}

bool Trainjob::mirror(Json& conditions) const {
    const ObjectPtr jobset = find(jobsets(), job.name());
    if (!jobset) return false;
    const std::pair<const char*, const char*> copies[] = {{"Completed", "Complete"}, {"Failed", "Failed"}};
    for (const auto& [theirs, ours] : copies) {
        const Json& condition = condition_of(jobset->dom(), theirs);
        if (string_at(condition, "status") != "True") continue;
        if (string_at(condition_in(conditions, ours), "reason") == "DeadlineExceeded") continue;
        set_condition(conditions, ours, true, string_at(condition, "reason"), string_at(condition, "message"),
                      string_at(condition, "lastTransitionTime"));
    }
    return true;
}

bool Trainjob::check_deadline(Json& conditions) {
    const Json& seconds = at_path(job.dom(), "spec.activeDeadlineSeconds");
    if (!seconds.is_number_integer() || bool_at(job.dom(), "spec.suspend")) return false;
    if (is_true(conditions, "Complete") || is_true(conditions, "Failed")) return false;
    Time start = job.creation_timestamp();
    const Json& suspended = condition_in(conditions, "Suspended");
    if (string_at(suspended, "status") == "False")
        start = parse_time(string_at(suspended, "lastTransitionTime")).value_or(start);
    const Time deadline = start + std::chrono::seconds(seconds.get<std::int64_t>());
    if (in.now < deadline) {
        plan.look_again_at = deadline;
        return false;
    }
    set_condition(conditions, "Failed", true, "DeadlineExceeded", "TrainJob exceeded its active deadline",
                  format_time(in.now));
    return true;
}

void Trainjob::write_status() {
    const Json& before = at_path(job.dom(), "status");
    Json status = before.is_object() ? before : Json::object();
    Json conditions = status.contains("conditions") ? status["conditions"] : Json::array();
    if (bool_at(job.dom(), "spec.suspend"))
        set_condition(conditions, "Suspended", true, "Suspended", "TrainJob is suspended", format_time(in.now));
    else if (is_true(conditions, "Suspended"))
        set_condition(conditions, "Suspended", false, "Resumed", "TrainJob is resumed", format_time(in.now));
    if (mirror(conditions)) {
        const Json& theirs = at_path(find(jobsets(), job.name())->dom(), "status.replicatedJobsStatus");
        status.erase("jobsStatus");
        if (theirs.is_array())
            for (const Json& entry : theirs) {
                Json copy = Json::object();
                for (const char* field : {"name", "ready", "succeeded", "failed", "active", "suspended"})
                    copy[field] = member(entry, field);
                status["jobsStatus"].push_back(std::move(copy));
            }
    }
    const bool exceeded = check_deadline(conditions);
    if (!conditions.empty()) status["conditions"] = std::move(conditions);
    if (exceeded)
        if (const ObjectPtr jobset = find(jobsets(), job.name()))
            plan.actions.push_back(Delete{jobset->key(), jobset->uid(), "Background"});
    if (status == before || status.empty()) return;
    if (before.is_object())
        for (const auto& [name, value] : before.items())
            if (!status.contains(name)) status[name] = nullptr;
    plan.actions.push_back(MergePatch{job.key(), {{"status", std::move(status)}}, "status"});
}

std::string cut(const std::string& text) {
    return text.size() <= note_bytes_max ? text : text.substr(0, note_bytes_max) + " ...";
}

Plan reconcile(const Snapshot& cluster, const Key& key, const Inputs& in) {
    const ObjectPtr job = cluster.find(key);
    if (!job || string_at(job->dom(), "spec.managedBy", own_manager) != own_manager) return {};
    Trainjob work{cluster, in, *job};
    if (!finished(job->dom())) work.build();
    if (!work.error.empty()) {
        const std::string note = "TrainJob resources reconciliation failed: " + cut(work.error);
        work.plan.actions.push_back(EmitEvent{key, "Warning", "TrainJobResourcesCreationFailed", note,
                                              "trainer-trainjob-controller", true, "Reconciling"});
        work.plan.failed = work.error;
    }
    work.write_status();
    return std::move(work.plan);
}

std::vector<Key> keys_for(const Snapshot& cluster, const Object& changed) {
    return owner_keys(cluster, changed, trainjobs());
}

}  // namespace

Controller trainjob_controller() {
    return {"trainjob", "trainer", &trainjobs(),
            {&jobsets(), &config_maps(), &secrets(), &kind_of("trainer.kubeflow.org/v1alpha1", "ClusterTrainingRuntime"),
             &kind_of("trainer.kubeflow.org/v1alpha1", "TrainingRuntime")},
            keys_for, reconcile};
}

}  // namespace shed::controllers
