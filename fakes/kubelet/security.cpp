// What a securityContext asks of a container, besides its ids (place.cpp).
#include "fakes/kubelet/compose.hpp"

#include <linux/capability.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace shed::kubelet {
namespace {

// By number, as in linux/capability.h.
constexpr std::array<std::string_view, CAP_CHECKPOINT_RESTORE + 1> capability_names = {
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE"};

// Unlike containerd: a container's first process is podinit's, with descriptors of this machine's
// directories; whoever could trace it could use them.
bool is_withheld(std::size_t capability) { return capability == CAP_SYS_PTRACE; }

using Wanted = std::array<bool, capability_names.size()>;

Result<Wanted> named_in(const Json& list, bool& all) {
    Wanted wanted = {};
    for (const Json& entry : list) {
        std::string name = entry.is_string() ? entry.get<std::string>() : std::string();
        for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (name.starts_with("CAP_")) name.erase(0, 4);
        const auto known = std::find(capability_names.begin(), capability_names.end(), name);
        all = all || name == "ALL";
        if (known != capability_names.end())
            wanted[static_cast<std::size_t>(known - capability_names.begin())] = true;
        else if (name != "ALL")
            return Error{Reason::invalid, "unknown capability \"CAP_" + name + "\""};
    }
    return wanted;
}

bool flag(const PodPlace& place, const Json& container, const char* name) {
    const Json& own = member(member(container, "securityContext"), name);
    const Json& value = own.is_null() ? member(member(place.spec(), "securityContext"), name) : own;
    return value.is_boolean() && value.get<bool>();
}

}  // namespace

// As containerd reckons: ALL first, then what is added by name, then what is dropped by name.
Result<Spec> capability_records(const Json& container) {
    const Json& lists = member(member(container, "securityContext"), "capabilities");
    bool add_all = false, drop_all = false;
    const auto added = named_in(member(lists, "add"), add_all);
    if (!added) return added.error();
    const auto dropped = named_in(member(lists, "drop"), drop_all);
    if (!dropped) return dropped.error();
    Spec records;
    for (std::size_t i = 0; i < capability_names.size(); ++i) {
        const bool drop = (*dropped)[i], add = !drop && (add_all || (*added)[i]) && !is_withheld(i);
        if (drop || drop_all) records.push_back({"drop-cap", std::to_string(i)});
        if (add) records.push_back({"keep-cap", std::to_string(i)});
    }
    return records;
}

// In the kubelet's words (verifyRunAsNonRoot); "": it may run.
std::string non_root_violation(const PodPlace& place, const Json& container,
                               const Environment& environment) {
    if (!flag(place, container, "runAsNonRoot")) return "";
    if (identity_of(place, container, environment).uid != 0) return "";
    const auto has_user = [](const Json& holder) {
        return member(member(holder, "securityContext"), "runAsUser").is_number_integer();
    };
    const std::string about = " (pod: \"" + place.pod->name() + "_" + place.pod->ns() + "(" +
                              place.pod->uid() + ")\", container: " + string_at(container, "name") +
                              ")";
    return (has_user(container) || has_user(place.spec())
                ? "container's runAsUser breaks non-root policy"
                : "container has runAsNonRoot and image will run as root") +
           about;
}

}  // namespace shed::kubelet
