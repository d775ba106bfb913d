// What of a pod may still change: images, a deadline that comes nearer, more tolerations, fewer
// gates.
#include "fakes/admission/validate/rules.hpp"

#include "fakes/types/types.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view frozen_text =
    "pod updates may not change fields other than "
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
    "`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` "
    "(allow it to be set to 1 if it was previously negative)\n";

// False when the lists cannot be compared any further.
bool validate_same_containers(const Field& now, const Json& old) {
    const std::size_t before = old.is_array() ? old.size() : 0;
    if (now.size() != before) {
        now.forbidden("pod updates may not add or remove containers");
        return false;
    }
    for (const Field& container : now.items()) required_text(container["image"]);
    validate_image_spaces(now);
    return true;
}

// False when the deadline was moved out, which ends the real server's interest.
bool validate_deadline(const Field& now, const Json& old) {
    if (!now) {
        if (!old.is_null()) now.invalid("must not update from a positive integer to nil value");
        return true;
    }
    const std::size_t before = now.complaints();
    now.in_range(0, int32_max);
    if (now.complaints() == before && old.is_number_integer() &&
        old.get<std::int64_t>() < now.number())
        now.invalid("must be less than or equal to previous value");
    return now.complaints() == before;
}

Json without_seconds(Json toleration) {
    toleration.erase("tolerationSeconds");
    return toleration;
}

void validate_added_tolerations(const Field& now, const Json& old) {
    for (const Json& before : old) {
        const auto kept = [&](const Field& t) {
            return without_seconds(t.json()) == without_seconds(before);
        };
        const auto items = now.items();
        if (std::any_of(items.begin(), items.end(), kept)) continue;
        return now.forbidden(
            "existing toleration can not be modified except its tolerationSeconds");
    }
    validate_tolerations(now);
}

void validate_removed_gates(const Field& now, const Json& old) {
    for (const Field& gate : now.items()) {
        const Field name = gate["name"];
        const auto had = [&](const Json& g) { return string_at(g, "name") == name.text(); };
        if (std::any_of(old.begin(), old.end(), had)) continue;
        name.forbidden("only deletion is allowed, but found new scheduling gate '" + name.text() +
                       "'");
    }
}

void take(Json& to, const Json& from, const char* name) {
    if (from.contains(name)) to[name] = from[name];
    else to.erase(name);
}

bool only_adds(const Json& now, const Json& old) {
    if (!old.is_object()) return true;
    for (const auto& [key, value] : old.items())
        if (member(now, key) != value) return false;
    return true;
}

// A gated pod has not been looked at by a scheduler, so it may still be narrowed down to fewer
// nodes.
void allow_narrowing(const Change& spec, Json& munged) {
    const Field selector = spec.now["nodeSelector"];
    if (!only_adds(selector.json(), member(spec.old, "nodeSelector")))
        selector.invalid(
            "only additions to spec.nodeSelector are allowed (no mutations or deletions)");
    take(munged, spec.old, "nodeSelector");
    const Json& affinity = member(spec.old, "affinity");
    if (affinity.is_null() && munged.contains("affinity") && munged["affinity"].size() == 1 &&
        munged["affinity"].contains("nodeAffinity"))
        munged.erase("affinity");
    else if (affinity.is_object() && munged.contains("affinity"))
        take(munged["affinity"], affinity, "nodeAffinity");
}

// The new spec with every permitted change undone: what is left to differ is not permitted.
Json munged_spec(const Change& spec) {
    Json munged = spec.now.json();
    for (const char* list : {"containers", "initContainers"}) {
        const Json& old = member(spec.old, list);
        for (std::size_t i = 0; old.is_array() && i < old.size(); ++i)
            take(munged[list][i], old[i], "image");
    }
    for (const char* name : {"activeDeadlineSeconds", "schedulingGates", "tolerations"})
        take(munged, spec.old, name);
    const Json& grace = member(spec.old, "terminationGracePeriodSeconds");
    if (grace.is_number_integer() && grace.get<std::int64_t>() < 0 &&
        munged["terminationGracePeriodSeconds"] == 1)
        munged["terminationGracePeriodSeconds"] = grace;
    if (!list_of(spec.old, "schedulingGates").empty()) allow_narrowing(spec, munged);
    return munged;
}

void validate_annotation_update(const Change& annotations) {
    static constexpr std::string_view mirror = "kubernetes.io/config.mirror";
    const Json& old = member(annotations.old, mirror);
    const Field now = annotations.now.entry(mirror);
    if (now.json() == old) return;
    now.forbidden(old.is_null() ? "may not add mirror pod annotation"
                                : "may not remove or update mirror pod annotation");
}

}  // namespace

void validate_pod_update(const Change& pod) {
    const Field spec = pod["spec"], annotations = pod["metadata"]["annotations"];
    const Json& old = member(pod.old, "spec");
    validate_annotation_update({annotations, at_path(pod.old, "metadata.annotations")});
    validate_pod_annotations(annotations, spec);
    for (const char* list : {"containers", "initContainers"})
        if (!validate_same_containers(spec[list], member(old, list))) return;
    if (!validate_deadline(spec["activeDeadlineSeconds"], member(old, "activeDeadlineSeconds")))
        return;
    validate_added_tolerations(spec["tolerations"], list_of(old, "tolerations"));
    validate_removed_gates(spec["schedulingGates"], list_of(old, "schedulingGates"));
    if (spec.json() == old) return;
    const Json munged = munged_spec({spec, old});
    if (munged == old) return;
    const std::string before = go_text("core.PodSpec", old, true);
    spec.forbidden(std::string(frozen_text) +
                   unified_diff(before, go_text("core.PodSpec", munged, true)));
}

void validate_pod_status(const Field& pod) {
    static constexpr std::string_view own[] = {"PodScheduled", "Ready", "Initialized"};
    for (const Field& condition : pod["status"]["conditions"].items()) {
        const Field type = condition["type"];
        if (std::find(std::begin(own), std::end(own), type.text()) == std::end(own))
            named(type.moved(joined_path(condition.path(), "Type")), qualified_name_problems);
    }
}

}  // namespace shed::admission
