// JobSet's mutating webhook (kubernetes-sigs/jobset pkg/webhooks/jobset_webhook.go).
#include "fakes/admission/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

void ensure_object(Json& parent, const char* name) {
    Json& value = parent[name];
    if (value.is_null()) value = Json::object();
}

void set_absent(Json& object, const char* name, Json value) {
    Json& found = object[name];
    if (found.is_null() || found == "") found = std::move(value);
}

// The webhook answers with the whole Go struct, so members that Go always prints appear.
void print_as_go(Json& pod_spec) {
    if (!pod_spec.contains("containers")) pod_spec["containers"] = nullptr;
    for (const char* list : {"containers[*]", "initContainers[*]"})
        for_each_at(pod_spec, list, [](Json& container) {
            ensure_object(container, "resources");
            for (const char* name : {"limits", "requests"})
                if (const auto found = container["resources"].find(name);
                    found != container["resources"].end() && found->is_object())
                    for (Json& value : *found) canonical_quantities(value);
        });
}

void default_replicated_job(Json& job) {
    ensure_object(job, "template");
    Json& job_template = job["template"];
    ensure_object(job_template, "metadata");
    ensure_object(job_template, "spec");
    Json& spec = job_template["spec"];
    set_absent(spec, "completionMode", "Indexed");
    ensure_object(spec, "template");
    ensure_object(spec["template"], "metadata");
    ensure_object(spec["template"], "spec");
    set_absent(spec["template"]["spec"], "restartPolicy", "OnFailure");
    print_as_go(spec["template"]["spec"]);
}

void default_claims(Json& policy) {
    set_absent(policy, "retentionPolicy", {{"whenDeleted", "Delete"}});
    for_each_at(policy, "templates[*]", [](Json& claim) {
        ensure_object(claim, "metadata");
        ensure_object(claim, "spec");
        ensure_object(claim["spec"], "resources");
        ensure_object(claim, "status");
    });
}

}  // namespace

void default_jobset(Json& jobset) {
    if (!member(jobset, "spec").is_object()) jobset["spec"] = Json::object();
    Json& spec = jobset["spec"];
    set_absent(spec, "successPolicy", {{"operator", "All"}});
    set_absent(spec, "startupPolicy", {{"startupPolicyOrder", "AnyOrder"}});
    for_each_at(spec, "replicatedJobs[*]", default_replicated_job);
    ensure_object(spec, "network");
    set_absent(spec["network"], "enableDNSHostnames", true);
    set_absent(spec["network"], "publishNotReadyAddresses", true);
    int i = 0;
    for_each_at(spec, "failurePolicy.rules[*]", [&i](Json& rule) {
        set_absent(rule, "name", "failurePolicyRule" + std::to_string(i++));
    });
    for_each_at(spec, "volumeClaimPolicies[*]", default_claims);
}

}  // namespace shed::admission
