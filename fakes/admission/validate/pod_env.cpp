// A container's environment: names, and the places values may come from.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view env_fields[] = {"metadata.name",
                                           "metadata.namespace",
                                           "metadata.uid",
                                           "spec.nodeName",
                                           "spec.serviceAccountName",
                                           "status.hostIP",
                                           "status.hostIPs",
                                           "status.podIP",
                                           "status.podIPs"};
constexpr std::string_view resource_fields[] = {
    "limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
    "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
// Labels of fields that can be read at all; the others are unknown, not merely out of place.
constexpr std::string_view known_fields[] = {
    "metadata.annotations", "metadata.labels", "metadata.name",      "metadata.namespace",
    "metadata.uid",         "spec.nodeName",   "spec.restartPolicy", "spec.serviceAccountName",
    "spec.schedulerName",   "status.phase",    "status.hostIP",      "status.hostIPs",
    "status.podIP",         "status.podIPs"};
constexpr std::string_view byte_divisors[] = {"1",   "1E", "1Ei", "1G", "1Gi", "1Ki", "1M",
                                              "1Mi", "1P", "1Pi", "1T", "1Ti", "1k"};
constexpr std::string_view byte_divisor_names =
    "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";

template <std::size_t N>
bool is_among(std::string_view text, const std::string_view (&all)[N]) {
    return std::find(std::begin(all), std::end(all), text) != std::end(all);
}

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

void validate_divisor(const std::string& resource, const Field& divisor) {
    const auto amount = Quantity::from_json(divisor.json());
    if (!amount || amount->milli() == 0) return;
    const std::string text = divisor.text();
    const auto complain = [&](std::string_view values, std::string_view what) {
        divisor.invalid(resource, "only divisor's values " + std::string(values) +
                                      " are supported with the " + std::string(what));
    };
    if (resource.ends_with(".cpu")) {
        if (text != "1m" && text != "1") complain("1m and 1", "cpu resource");
    } else if (!is_among(text, byte_divisors)) {
        if (resource.ends_with(".memory")) complain(byte_divisor_names, "memory resource");
        else if (resource.ends_with(".ephemeral-storage"))
            complain(byte_divisor_names, "local ephemeral storage resource");
        else if (resource.find(".hugepages-") != std::string::npos)
            complain(byte_divisor_names, "hugepages resource");
    }
}

// Of a ConfigMap or a Secret.
void validate_key_ref(const Field& reference) {
    named(reference["name"], dns_subdomain_problems);
    const Field key = reference["key"];
    if (key.text().empty()) key.required();
    else named(key, config_key_problems);
}

void validate_file_ref(const Field& reference) {
    const Field key = reference["key"], volume = reference["volumeName"], path = reference["path"];
    if (key.text().empty()) key.required();
    else named(key, env_name_problems);
    if (volume.text().empty()) volume.required();
    else named(volume, dns_label_problems);
    if (path.text().empty()) path.required();
    else validate_no_backsteps(path);
}

void validate_value_from(const Field& variable) {
    const Field from = variable["valueFrom"];
    if (!from) return;
    int sources = 0;
    if (const Field field = from["fieldRef"]) ++sources, validate_field_ref(field, env_fields);
    if (const Field resource = from["resourceFieldRef"])
        ++sources, validate_resource_field_ref(resource, false);
    for (const char* name : {"configMapKeyRef", "secretKeyRef"})
        if (const Field key = from[name]) ++sources, validate_key_ref(key);
    if (const Field file = from["fileKeyRef"]) ++sources, validate_file_ref(file);
    if (sources == 0)
        from.invalid("",
                     "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, "
                     "`secretKeyRef` or `fileKeyRef`");
    else if (!variable["value"].text().empty())
        from.invalid("", "may not be specified when `value` is not empty");
    else if (sources > 1) from.invalid("", "may not have more than one field specified at a time");
}

void validate_env_from(const Field& list) {
    for (const Field& source : list.items()) {
        named_if_set(source["prefix"], env_name_problems);
        int sources = 0;
        for (const char* name : {"configMapRef", "secretRef"}) {
            const Field reference = source[name];
            if (!reference) continue;
            ++sources;
            if (reference["name"].text().empty()) reference["name"].required();
            else named(reference["name"], dns_subdomain_problems);
        }
        if (sources == 0) list.invalid("", "must specify one of: `configMapRef` or `secretRef`");
        else if (sources > 1)
            list.invalid("", "may not have more than one field specified at a time");
    }
}

}  // namespace

void validate_field_ref(const Field& reference, std::span<const std::string_view> allowed) {
    const Field path = reference["fieldPath"];
    const std::string text = path.text(), version = reference["apiVersion"].text();
    if (version.empty()) return reference["apiVersion"].required();
    if (text.empty()) return path.required();
    if (version != "v1")
        return path.invalid("error converting fieldPath: unsupported pod version: " + version);
    const auto bracket = text.find("['");
    if (bracket != std::string::npos && text.ends_with("']")) {
        const std::string base = text.substr(0, bracket);
        std::string key = text.substr(bracket + 2, text.size() - bracket - 4);
        if (base != "metadata.annotations" && base != "metadata.labels")
            return path.invalid(
                "error converting fieldPath: field label does not support subscript: " + text);
        if (base == "metadata.annotations") key = lower(key);
        for (const std::string& why : qualified_name_problems(key)) reference.invalid(key, why);
        return;
    }
    if (!is_among(text, known_fields))
        return path.invalid("error converting fieldPath: field label not supported: " + text);
    if (std::find(allowed.begin(), allowed.end(), text) == allowed.end())
        path.not_supported(allowed);
}

void validate_resource_field_ref(const Field& reference, bool of_volume) {
    const Field container = reference["containerName"], resource = reference["resource"];
    const std::string text = resource.text();
    const bool huge =
        text.starts_with("limits.hugepages-") || text.starts_with("requests.hugepages-");
    if (of_volume && container.text().empty()) container.required();
    else if (text.empty()) resource.required();
    else if (!is_among(text, resource_fields) && !huge) resource.not_supported(resource_fields);
    validate_divisor(text, reference["divisor"]);
}

void validate_env(const Field& container) {
    for (const Field& variable : container["env"].items()) {
        const Field name = variable["name"];
        if (name.text().empty()) name.required();
        else named(name, env_name_problems);
        validate_value_from(variable);
    }
    validate_env_from(container["envFrom"]);
}

}  // namespace shed::admission
