// Where a container's volumes go: mounts of files and devices, which share names and paths.
#include "fakes/admission/validate/rules.hpp"

#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

bool uses(const Field& list, const char* member_name, const std::string& text) {
    for (const Field& item : list.items())
        if (item[member_name].is(text)) return true;
    return false;
}

void validate_propagation(const Field& mount, const Field& at, bool privileged) {
    static constexpr std::string_view modes[] = {"Bidirectional", "HostToContainer", "None"};
    const Field mode = mount["mountPropagation"].moved(joined_path(at.path(), "mountPropagation"));
    mode.one_of_if_set(modes);
    if (mode.is("Bidirectional") && !privileged)
        mode.forbidden(
            "Bidirectional mount propagation is available only to privileged containers");
}

void validate_recursive_read_only(const Field& mount, const Field& at) {
    static constexpr std::string_view modes[] = {"Disabled", "Enabled", "IfPossible"};
    const Field mode =
        mount["recursiveReadOnly"].moved(joined_path(at.path(), "recursiveReadOnly"));
    if (mode.is("Enabled") || mode.is("IfPossible")) {
        if (!mount["readOnly"].flag())
            mode.forbidden("may only be specified when readOnly is true");
        const Field propagation = mount["mountPropagation"];
        if (propagation && !propagation.is("None"))
            mode.forbidden("may only be specified when mountPropagation is None or not specified");
    } else {
        mode.one_of_if_set(modes);
    }
}

void validate_sub_path(const Field& mount, const Field& at) {
    const Field path = mount["subPath"], expression = mount["subPathExpr"];
    if (!path.text().empty()) validate_relative_path(path.moved(joined_path(at.path(), "subPath")));
    if (expression.text().empty()) return;
    if (!path.text().empty()) expression.invalid("subPathExpr and subPath are mutually exclusive");
    validate_relative_path(expression.moved(joined_path(at.path(), "subPathExpr")));
}

bool is_claim(const Json& volume) {
    return volume.contains("persistentVolumeClaim") || volume.contains("ephemeral");
}

}  // namespace

void validate_mounts(const Field& container, const PodContext& context) {
    const Field mounts = container["volumeMounts"], devices = container["volumeDevices"];
    const bool privileged = container["securityContext"]["privileged"].flag();
    std::set<std::string> paths;
    for (const Field& mount : mounts.items()) {
        const Field name = mount["name"], path = mount["mountPath"];
        required_text(name);
        if (!context.volumes.contains(name.text())) name.not_found();
        required_text(path);
        if (!paths.insert(path.text()).second) path.invalid(path.text(), "must be unique");
        if (uses(devices, "name", name.text()))
            name.invalid("must not already exist in volumeDevices");
        if (uses(devices, "devicePath", path.text()))
            path.invalid("must not already exist as a path in volumeDevices");
        // What follows is said of the list, not of the mount.
        validate_sub_path(mount, mounts);
        validate_propagation(mount, mounts, privileged);
        validate_recursive_read_only(mount, mounts);
    }
}

void validate_devices(const Field& container, const PodContext& context) {
    const Field mounts = container["volumeMounts"];
    std::set<std::string> names, paths;
    for (const Field& device : container["volumeDevices"].items()) {
        const Field name = device["name"], path = device["devicePath"];
        const auto volume = context.volumes.find(name.text());
        const bool known = volume != context.volumes.end();
        required_text(name);
        if (names.contains(name.text())) name.invalid(name.text(), "must be unique");
        if (known && !is_claim(*volume->second))
            name.invalid(
                "can only use volume source type of PersistentVolumeClaim or Ephemeral for block "
                "mode");
        if (!known) name.not_found();
        required_text(path);
        if (paths.contains(path.text())) path.invalid(path.text(), "must be unique");
        if (("/" + path.text() + "/").find("/../") != std::string::npos)
            path.invalid("can not contain backsteps ('..')");
        else paths.insert(path.text());
        if (uses(mounts, "name", name.text()))
            name.invalid("must not already exist in volumeMounts");
        if (uses(mounts, "mountPath", path.text()))
            path.invalid("must not already exist as a path in volumeMounts");
        if (!name.text().empty()) names.insert(name.text());
    }
}

}  // namespace shed::admission
