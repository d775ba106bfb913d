#include "fakes/kubelet/compose.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {

const Json& PodPlace::spec() const { return member(pod->dom(), "spec"); }

std::string PodPlace::hostname() const {
    if (bool_at(spec(), "hostNetwork") && !node.empty()) return node;
    std::string name = string_at(spec(), "hostname", pod->name());
    // A host name has at most 63 characters; the kubelet cuts longer pod names and what must not
    // end one.
    if (name.size() > 63) name.resize(63);
    while (!name.empty() && (name.back() == '-' || name.back() == '.')) name.pop_back();
    return name;
}

std::string PodPlace::fqdn() const {
    const std::string subdomain = string_at(spec(), "subdomain");
    if (subdomain.empty()) return hostname();
    return hostname() + "." + subdomain + "." + pod->ns() + ".svc.cluster.local";
}

std::string PodPlace::kernel_hostname() const {
    return bool_at(spec(), "setHostnameAsFQDN") ? fqdn() : hostname();
}

std::string PodPlace::volume_path(std::string_view volume) const {
    return directory + "/volumes/" + std::string(volume);
}

std::string PodPlace::container_path(std::string_view container) const {
    return directory + "/containers/" + std::string(container);
}

std::string PodPlace::log_path(std::string_view container, int attempt) const {
    return directory + "/logs/" + std::string(container) + "/" + std::to_string(attempt) + ".log";
}

std::string PodPlace::exit_path(std::string_view container, int attempt) const {
    return directory + "/logs/" + std::string(container) + "/" + std::to_string(attempt) + ".exit";
}

std::string PodPlace::message_path(std::string_view container, int attempt) const {
    return container_path(container) + "/termination-" + std::to_string(attempt);
}

namespace {

const Json& security_of(const PodPlace& place, const Json& container, std::string_view name) {
    const Json& own = member(member(container, "securityContext"), name);
    return own.is_null() ? member(member(place.spec(), "securityContext"), name) : own;
}

std::optional<int> number(const Json& value) {
    return value.is_number_integer() ? std::optional<int>(value.get<int>()) : std::nullopt;
}

}  // namespace

Identity identity_of(const PodPlace& place, const Json& container, const Environment& environment) {
    Identity identity;
    const std::optional<int> user = number(security_of(place, container, "runAsUser"));
    const std::optional<int> group = number(security_of(place, container, "runAsGroup"));
    identity.uid = user.value_or(environment.uid);
    identity.gid = group.value_or(identity.uid == environment.uid ? environment.gid : 0);
    identity.fs_group = number(member(member(place.spec(), "securityContext"), "fsGroup"));
    // The one id of a single map takes any name, but there are no others to be a member of.
    if (!place.single_identity) {
        if (identity.fs_group) identity.groups.push_back(*identity.fs_group);
        for (const Json& extra : at_path(place.spec(), "securityContext.supplementalGroups")) {
            if (const auto gid = number(extra)) identity.groups.push_back(*gid);
        }
    }
    const bool image_is_root = environment.uid == 0;
    if (identity.uid == 0) {
        identity.user_name = "root";
        identity.home = image_is_root ? environment.home : "/root";
    } else if (image_is_root) {
        identity.user_name = "user";
        identity.home = "/home/user";
    } else {
        identity.user_name = environment.user_name;
        identity.home = environment.home;
    }
    return identity;
}

}  // namespace shed::kubelet
