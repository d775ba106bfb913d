// The defaults of a pod spec, in pods and in templates alike.
#include "fakes/admission/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr DefaultRow probe[] = {
    {"timeoutSeconds", "1"},       {"periodSeconds", "10"},   {"successThreshold", "1"},
    {"failureThreshold", "3"},     {"httpGet.path", R"("/")"}, {"httpGet.scheme", R"("HTTP")"},
    {"grpc.service", R"("")"},
};

// Members that are left out at their zero value, whatever was sent.
void drop_zero(Json& object, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        const auto found = object.find(name);
        if (found == object.end()) continue;
        const bool zero = *found == false || *found == 0 || *found == "";
        if (zero) object.erase(found);
    }
}

// Always when the tag is :latest or absent, since what it names may change.
std::string_view pull_policy(std::string_view image) {
    if (image.find('@') != std::string_view::npos) return "IfNotPresent";
    const auto slash = image.rfind('/');
    const std::string_view last = slash == std::string_view::npos ? image : image.substr(slash + 1);
    const auto colon = last.rfind(':');
    const bool latest = colon == std::string_view::npos || last.substr(colon + 1) == "latest";
    return latest ? "Always" : "IfNotPresent";
}

void canonical_members(Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end() || !found->is_object()) return;
    for (Json& value : *found) canonical_quantities(value);
}

void default_env(Json& container) {
    for_each_at(container, "env[*]", [](Json& env) { drop_zero(env, {"value"}); });
    for_each_at(container, "env[*].valueFrom.resourceFieldRef", [](Json& reference) {
        if (reference.contains("divisor")) canonical_quantities(reference["divisor"]);
    });
}

void default_container(Json& container, bool host_network) {
    drop_zero(container, {"workingDir", "stdin", "stdinOnce", "tty", "image"});
    for_each_at(container, "volumeMounts[*]",
                [](Json& mount) { drop_zero(mount, {"readOnly", "subPath", "subPathExpr"}); });
    default_env(container);
    apply_rows(container_rows(), container);
    for_each_at(container, "resources", [](Json& resources) {
        canonical_members(resources, "limits");
        canonical_members(resources, "requests");
    });
    for (const char* name : {"livenessProbe", "readinessProbe", "startupProbe"})
        for_each_at(container, name, [](Json& p) {
            drop_zero(p, {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
                          "failureThreshold"});
            apply_rows(probe, p);
        });
    for_each_at(container, "ports[*]", [host_network](Json& port) {
        drop_zero(port, {"hostPort", "name", "hostIP"});
        if (host_network && !port.contains("hostPort") && port.contains("containerPort"))
            port["hostPort"] = port["containerPort"];
    });
    if (string_at(container, "imagePullPolicy").empty())
        container["imagePullPolicy"] = pull_policy(string_at(container, "image"));
}

void default_volume(Json& volume) {
    if (volume.size() == 1 && volume.contains("name")) volume["emptyDir"] = Json::object();
    for_each_at(volume, "emptyDir", [](Json& empty_dir) {
        if (empty_dir.contains("sizeLimit")) canonical_quantities(empty_dir["sizeLimit"]);
    });
}

}  // namespace

void default_pod_spec(Json& spec) {
    drop_zero(spec, {"hostNetwork", "hostPID", "hostIPC", "nodeName", "hostname", "subdomain",
                     "serviceAccountName", "serviceAccount", "priorityClassName", "schedulerName",
                     "restartPolicy", "dnsPolicy"});
    if (!spec.contains("containers")) spec["containers"] = nullptr;
    apply_rows(pod_spec_rows(), spec);
    for_each_at(spec, "volumes[*]", default_volume);
    const bool host_network = bool_at(spec, "hostNetwork");
    for (const char* list : {"containers[*]", "initContainers[*]", "ephemeralContainers[*]"})
        for_each_at(spec, list, [host_network](Json& c) { default_container(c, host_network); });
    // The older name is kept equal for clients that read it.
    if (!spec.contains("serviceAccountName") && spec.contains("serviceAccount"))
        spec["serviceAccountName"] = spec["serviceAccount"];
    if (spec.contains("serviceAccountName")) spec["serviceAccount"] = spec["serviceAccountName"];
}

}  // namespace shed::admission
