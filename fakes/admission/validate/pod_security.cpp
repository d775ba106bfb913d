// Security contexts of pods and containers. Nothing here acts on most of them, yet a real cluster
// would refuse them.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view profile_types[] = {"Localhost", "RuntimeDefault", "Unconfined"};
constexpr std::size_t sysctl_max = 253;
constexpr std::size_t app_armor_max = 4095;

void validate_seccomp(const Field& profile) {
    if (!profile) return;
    const Field type = profile["type"], local = profile["localhostProfile"];
    if (type.text().empty()) type.required("type is required when seccompProfile is set");
    else type.one_of_if_set(profile_types);
    if (!type.is("Localhost")) {
        if (local)
            profile.moved(local.path())
                .invalid_as("core.SeccompProfile",
                            "can only be set when seccomp type is Localhost");
    } else if (!local) {
        local.required("must be set when seccomp type is Localhost");
    } else {
        validate_relative_path(local);
    }
}

void validate_app_armor(const Field& profile) {
    if (!profile) return;
    const Field type = profile["type"], local = profile["localhostProfile"];
    const std::string text = local.text();
    if (type.text().empty()) return type.required("type is required when appArmorProfile is set");
    type.one_of_if_set(profile_types);
    if (!type.is("Localhost")) {
        if (local && (type.is("RuntimeDefault") || type.is("Unconfined")))
            local.invalid("can only be set when AppArmor type is Localhost");
        return;
    }
    const auto first = text.find_first_not_of(" \t\n"), last = text.find_last_not_of(" \t\n");
    if (!local || text.empty())
        return local.required("must be set when AppArmor type is Localhost");
    if (first != 0 || last + 1 != text.size()) local.invalid("must not be padded with whitespace");
    if (text.size() > app_armor_max) local.too_long(app_armor_max);
}

bool is_sysctl_segment(std::string_view text) {
    const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && alnum(text.front()) && alnum(text.back()) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return alnum(c) || c == '-' || c == '_'; });
}

bool is_sysctl_name(std::string_view name) {
    if (name.size() > sysctl_max) return false;
    for (;;) {
        const auto end = name.find_first_of("./");
        if (!is_sysctl_segment(name.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        name.remove_prefix(end + 1);
    }
}

void validate_sysctls(const Field& sysctls, const Field& spec) {
    std::set<std::string> names;
    for (const Field& sysctl : sysctls.items()) {
        const Field name = sysctl["name"];
        const std::string text = name.text();
        if (text.empty()) name.required();
        else if (!is_sysctl_name(text))
            name.invalid(
                "must have at most 253 characters and match regex "
                "^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$");
        else if (names.contains(text)) name.duplicate();
        if (spec["hostNetwork"].flag() && text.starts_with("net."))
            name.invalid("may not be specified when 'hostNetwork' is true");
        names.insert(text);
    }
}

void validate_id(const Field& id) {
    if (id) id.in_range(0, int32_max);
}

}  // namespace

void validate_container_security(const Field& context, bool host_users) {
    static constexpr std::string_view proc_mounts[] = {"Default", "Unmasked"};
    if (!context) return;
    validate_id(context["runAsUser"]);
    validate_id(context["runAsGroup"]);
    const Field proc = context["procMount"];
    proc.one_of_if_set(proc_mounts);
    if (host_users && proc.is("Unmasked"))
        proc.invalid("`hostUsers` must be false to use `Unmasked`");
    validate_seccomp(context["seccompProfile"]);
    const Field escalation = context["allowPrivilegeEscalation"];
    if (escalation && !escalation.flag()) {
        if (context["privileged"].flag())
            context.invalid_as(
                "core.SecurityContext",
                "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
        for (const Field& added : context["capabilities"]["add"].items())
            if (added.is("CAP_SYS_ADMIN"))
                context.invalid_as("core.SecurityContext",
                                   "cannot set `allowPrivilegeEscalation` to false and "
                                   "`capabilities.Add` CAP_SYS_ADMIN");
    }
    validate_app_armor(context["appArmorProfile"]);
}

void validate_pod_security(const Field& spec) {
    static constexpr std::string_view group_changes[] = {"Always", "OnRootMismatch"};
    static constexpr std::string_view group_policies[] = {"Merge", "Strict"};
    static constexpr std::string_view label_changes[] = {"Recursive"};
    const Field context = spec["securityContext"];
    if (!context) return;
    for (const char* name : {"fsGroup", "runAsUser", "runAsGroup"}) validate_id(context[name]);
    for (const Field& group : context["supplementalGroups"].items()) validate_id(group);
    if (spec["shareProcessNamespace"].flag() && spec["hostPID"].flag())
        context["shareProcessNamespace"].invalid(
            true, "ShareProcessNamespace and HostPID cannot both be enabled");
    validate_sysctls(context["sysctls"], spec);
    context["fsGroupChangePolicy"].one_of_if_set(group_changes);
    validate_seccomp(context["seccompProfile"]);
    validate_app_armor(context["appArmorProfile"]);
    context["supplementalGroupsPolicy"].one_of_if_set(group_policies);
    context["seLinuxChangePolicy"].one_of_if_set(label_changes);
}

}  // namespace shed::admission
