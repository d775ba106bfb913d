// What every object's metadata must obey, new or changed. The real server goes over it more than
// once on updates, which shows in the number of causes, so the two halves are apart.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::size_t annotations_max = 262'144;

Problems name_rule(const Kind& kind) {
    const bool core = kind.group.empty();
    if (core && (kind.kind == "Namespace" || kind.kind == "Service")) return dns_label_problems;
    if (kind.kind == "StatefulSet") return dns_label_problems;
    if (kind.group == "rbac.authorization.k8s.io" || kind.kind == "Event")
        return path_segment_problems;
    return dns_subdomain_problems;
}

// What is generated ends in a letter, so that a prefix may end in a dash.
std::string as_generated(const std::string& prefix) {
    if (prefix.size() < 2 || prefix.back() != '-') return prefix;
    return prefix.substr(0, prefix.size() - 2) + "a";
}

void validate_name(const Field& metadata, Problems rule) {
    const Field prefix = metadata["generateName"];
    if (!prefix.text().empty()) prefix.invalid_each(rule(as_generated(prefix.text())));
    const Field name = metadata["name"];
    if (name.text().empty()) name.required("name or generateName is required");
    else named(name, rule);
}

void validate_owner(const Field& owner, const Field& owners) {
    const std::string version = owner["apiVersion"].text();
    if (version.empty() || std::count(version.begin(), version.end(), '/') > 1)
        owners["apiVersion"].invalid(version, "version must not be empty");
    for (const char* name : {"kind", "name", "uid"})
        if (owner[name].text().empty()) owners[name].invalid("", "must not be empty");
    if (version == "v1" && owner["kind"].is("Event"))
        owner.moved(owners.path())
            .invalid_as("meta.OwnerReference", "/v1, Kind=Event is disallowed from being an owner");
}

void validate_owners(const Field& owners) {
    std::string controller;
    for (const Field& owner : owners.items()) {
        validate_owner(owner, owners);
        if (!owner["controller"].flag()) continue;
        const std::string text = owner["kind"].text() + "/" + owner["name"].text();
        if (controller.empty()) controller = text;
        else
            owners.invalid_as(
                "[]meta.OwnerReference",
                "Only one reference can have Controller set to true. Found \"true\" in "
                "references for " +
                    controller + " and " + text);
    }
}

bool has_text(const Field& list, std::string_view text) {
    const auto items = list.items();
    return std::any_of(items.begin(), items.end(), [text](const Field& f) { return f.is(text); });
}

void validate_finalizers(const Field& finalizers) {
    for (const Field& finalizer : finalizers.items())
        named(finalizer.moved(finalizers.path()), qualified_name_problems);
    if (has_text(finalizers, "orphan") && has_text(finalizers, "foregroundDeletion"))
        finalizers.invalid("finalizer orphan and foregroundDeletion cannot be both set");
}

void validate_maps_and_owners(const Field& metadata) {
    validate_labels(metadata["labels"]);
    validate_annotations(metadata["annotations"]);
    validate_owners(metadata["ownerReferences"]);
}

void validate_named_meta(const Field& metadata, Problems rule) {
    validate_name(metadata, rule);
    validate_maps_and_owners(metadata);
    validate_finalizers(metadata["finalizers"]);
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

}  // namespace

void validate_labels(const Field& labels) {
    for (const auto& [key, value] : labels.entries()) {
        for (const std::string& why : qualified_name_problems(key)) labels.invalid(key, why);
        for (const std::string& why : label_value_problems(value.text()))
            labels.invalid(value.text(), why);
    }
}

void validate_annotations(const Field& annotations) {
    std::size_t total = 0;
    for (const auto& [key, value] : annotations.entries()) {
        total += key.size() + value.size();
        // The rule for labels, but for the case of letters.
        for (const std::string& why : qualified_name_problems(lower(key)))
            annotations.invalid(key, why);
    }
    if (total > annotations_max) annotations.too_long(annotations_max);
}

void validate_object_meta(const Kind& kind, const Field& metadata) {
    validate_named_meta(metadata, name_rule(kind));
}

void validate_object_meta_of_any_kind(const Field& metadata) {
    validate_named_meta(metadata, path_segment_problems);
}

void validate_object_meta_update(const Field& metadata) { validate_maps_and_owners(metadata); }

void validate_standard_finalizer(const Field& finalizer) {
    const std::string text = finalizer.text();
    const bool standard = text == "kubernetes" || text == "orphan" || text == "foregroundDeletion";
    if (text.find('/') == std::string::npos && !standard)
        finalizer.invalid("name is neither a standard finalizer name nor is it fully qualified");
}

void validate_standard_finalizers(const Field& metadata) {
    for (const Field& finalizer : metadata["finalizers"].items())
        validate_standard_finalizer(finalizer);
}

}  // namespace shed::admission
