// volumeClaimPolicies: claims made for a JobSet and mounted where its containers name them.
#include "fakes/controllers/jobset.hpp"

namespace shed::controllers {

namespace {

std::string claim_name(const JobsetWork& work, const Json& claim) {
    return string_at(claim, "metadata.name") + "-" + work.jobset.name();
}

template <class Visit>
void for_each_claim(const JobsetWork& work, Visit visit) {
    const Json& policies = member(work.spec(), "volumeClaimPolicies");
    if (!policies.is_array()) return;
    for (const Json& policy : policies)
        if (const Json& templates = member(policy, "templates"); templates.is_array())
            for (const Json& claim : templates) visit(policy, claim);
}

bool mounts(const Json& pod_spec, const std::string& volume) {
    for (const char* list : {"containers", "initContainers"}) {
        const Json& containers = member(pod_spec, list);
        if (!containers.is_array()) continue;
        for (const Json& container : containers)
            if (find_named(member(container, "volumeMounts"), volume) != nullptr) return true;
    }
    return false;
}

}  // namespace

void create_claims(JobsetWork& work) {
    static const Kind& claims = kind_of("v1", "PersistentVolumeClaim");
    for_each_claim(work, [&](const Json& policy, const Json& claim) {
        const std::string name = claim_name(work, claim);
        if (work.cluster.find({&claims, work.jobset.ns(), name})) return;
        Json metadata = {{"name", name}, {"namespace", work.jobset.ns()}};
        for (const char* map : {"labels", "annotations"})
            if (const Json& value = member(member(claim, "metadata"), map); value.is_object()) metadata[map] = value;
        metadata["labels"]["jobset.sigs.k8s.io/jobset-name"] = work.jobset.name();
        // A claim that is retained outlives its JobSet.
        if (string_at(policy, "retentionPolicy.whenDeleted", "Delete") == "Delete")
            metadata["ownerReferences"] = Json::array({owner_reference(work.jobset)});
        Create create{{{"apiVersion", "v1"},
                       {"kind", "PersistentVolumeClaim"},
                       {"metadata", std::move(metadata)},
                       {"spec", member(claim, "spec")}}};
        create.refusal = work.event("Warning", "PVCCreationFailed", "");
        work.plan.actions.push_back(std::move(create));
    });
}

void add_claimed_volumes(const JobsetWork& work, Json& pod_spec) {
    for_each_claim(work, [&](const Json&, const Json& claim) {
        const std::string name = string_at(claim, "metadata.name");
        if (!mounts(pod_spec, name)) return;
        pod_spec["volumes"].push_back(
            {{"name", name}, {"persistentVolumeClaim", {{"claimName", claim_name(work, claim)}}}});
    });
}

}  // namespace shed::controllers
