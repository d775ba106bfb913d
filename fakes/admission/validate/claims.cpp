// Claims of storage. Nothing here binds them, but their manifests come from clusters where
// something does.
#include "fakes/admission/validate/rules.hpp"

#include "fakes/types/types.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view access_modes[] = {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce",
                                             "ReadWriteOncePod"};
constexpr std::string_view volume_modes[] = {"Block", "Filesystem"};
constexpr std::string_view alone = "ReadWriteOncePod";

void validate_access_modes(const Field& modes) {
    if (modes.size() == 0) return modes.required("at least 1 access mode is required");
    bool single = false, other = false;
    for (const Field& mode : modes.items()) {
        const bool known = std::find(std::begin(access_modes), std::end(access_modes),
                                     mode.text()) != std::end(access_modes);
        if (!known) mode.moved(modes.path()).not_supported(access_modes);
        single = single || mode.is(alone);
        other = other || (known && !mode.is(alone));
    }
    if (single && other) modes.forbidden("may not use ReadWriteOncePod with other access modes");
}

void validate_source(const Field& source) {
    if (!source) return;
    required_text(source["name"]);
    required_text(source["kind"]);
    const Field group = source["apiGroup"];
    if (group.text().empty() && !source["kind"].is("PersistentVolumeClaim"))
        source.invalid(source["kind"].text(),
                       "must be 'PersistentVolumeClaim' when referencing the default apiGroup");
    named_if_set(group, dns_subdomain_problems);
}

Quantity storage_of(const Json& claim, std::string_view path) {
    return Quantity::from_json(member(at_path(claim, path), "storage")).value_or(Quantity());
}

}  // namespace

void validate_claim_spec(const Field& spec) {
    validate_access_modes(spec["accessModes"]);
    validate_label_selector(spec["selector"]);
    const Field resources = spec["resources"];
    const Field storage =
        resources["requests"]["storage"].moved(key_path(resources.path(), "storage"));
    if (!storage) storage.required();
    else validate_positive_quantity(storage);
    named_if_set(spec["storageClassName"], dns_subdomain_problems);
    spec["volumeMode"].one_of_if_set(volume_modes);
    validate_source(spec["dataSource"]);
    validate_source(spec["dataSourceRef"]);
}

void validate_claim_update(const Change& claim) {
    const Json& old = member(claim.old, "spec");
    const Field spec = claim["spec"];
    Json now = spec.json(), before = old;
    if (string_at(old, "volumeName").empty() && now.contains("volumeName"))
        before["volumeName"] = now["volumeName"];
    if (!old.contains("storageClassName") && now.contains("storageClassName"))
        before["storageClassName"] = now["storageClassName"];
    if (string_at(claim.now.json(), "status.phase") == "Bound") {
        if (now["resources"].contains("requests"))
            now["resources"]["requests"]["storage"] =
                member(at_path(old, "resources.requests"), "storage");
        if (old.contains("volumeAttributesClassName"))
            now["volumeAttributesClassName"] = old["volumeAttributesClassName"];
        else now.erase("volumeAttributesClassName");
    }
    if (now != before) {
        const std::string text = go_text("core.PersistentVolumeClaimSpec", before, true);
        spec.forbidden(
            "spec is immutable after creation except resources.requests and "
            "volumeAttributesClassName "
            "for bound claims\n" +
            unified_diff(text, go_text("core.PersistentVolumeClaimSpec", now, true)));
    }
    const Quantity size = storage_of(claim.now.json(), "spec.resources.requests");
    if (size < storage_of(claim.old, "spec.resources.requests") &&
        size <= storage_of(claim.old, "status.capacity"))
        spec["resources"]["requests"]["storage"].forbidden(
            "field can not be less than status.capacity");
    if (spec["volumeMode"].json() != member(old, "volumeMode"))
        spec["volumeMode"].moved("volumeMode").invalid("field is immutable");
}

}  // namespace shed::admission
