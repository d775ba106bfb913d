#include "fakes/base/text.hpp"
#include "fakes/kubelet/compose.hpp"
#include "fakes/podinit/protocol.hpp"

#include <nlohmann/json.hpp>

namespace shed::kubelet {
namespace {

std::string text_of(const Json& value) {
    return value.is_string() ? value.get<std::string>() : std::string{};
}

void append(std::vector<std::string>& list, const Json& values) {
    for (const Json& value : values) list.push_back(text_of(value));
}

std::string passwd_line(const std::string& name, int uid, int gid, const std::string& home) {
    return name + ":x:" + std::to_string(uid) + ":" + std::to_string(gid) + "::" + home +
           ":/bin/bash\n";
}

std::string passwd_file(const Identity& identity) {
    std::string text = passwd_line("root", 0, 0, identity.uid == 0 ? identity.home : "/root");
    text += "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n";
    text += "sshd:x:104:65534::/run/sshd:/usr/sbin/nologin\n";
    text += "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
    if (identity.uid != 0)
        text += passwd_line(identity.user_name, identity.uid, identity.gid, identity.home);
    return text;
}

std::string group_file(const Identity& identity) {
    std::map<int, std::string> groups = {
        {0, "root"}, {1, "daemon"}, {5, "tty"}, {65534, "nogroup"}};
    const auto add = [&](int gid) {
        groups.try_emplace(
            gid, gid == identity.uid ? identity.user_name : "group" + std::to_string(gid));
    };
    add(identity.gid);
    for (const int gid : identity.groups) add(gid);
    std::string text;
    for (const auto& [gid, name] : groups) text += name + ":x:" + std::to_string(gid) + ":\n";
    return text;
}

}  // namespace

std::string hosts_file(const PodPlace& place) {
    std::string text =
        "# Kubernetes-managed hosts file.\n"
        "127.0.0.1\tlocalhost\n"
        "::1\tlocalhost ip6-localhost ip6-loopback\n"
        "fe00::0\tip6-localnet\n"
        "fe00::0\tip6-mcastprefix\n"
        "fe00::1\tip6-allnodes\n"
        "fe00::2\tip6-allrouters\n";
    text += place.ip + "\t" + place.fqdn();
    if (place.fqdn() != place.hostname()) text += "\t" + place.hostname();
    text += "\n";
    const Json& aliases = member(place.spec(), "hostAliases");
    if (!aliases.empty()) text += "\n# Entries added by HostAliases.\n";
    for (const Json& alias : aliases) {
        text += string_at(alias, "ip");
        for (const Json& name : member(alias, "hostnames")) text += "\t" + text_of(name);
        text += "\n";
    }
    return text;
}

// Unlike kubelet: dnsPolicy Default has the cluster's name server too, for a pod cannot reach the
// host's.
std::string resolv_conf(const PodPlace& place) {
    std::vector<std::string> servers, searches, options;
    const std::string policy = string_at(place.spec(), "dnsPolicy", "ClusterFirst");
    if (policy != "None") servers.push_back(podinit::dns_address);
    if (policy != "None" && policy != "Default") {
        searches = {place.pod->ns() + ".svc.cluster.local", "svc.cluster.local", "cluster.local"};
        options = {"ndots:5"};
    }
    const Json& config = member(place.spec(), "dnsConfig");
    append(servers, member(config, "nameservers"));
    append(searches, member(config, "searches"));
    for (const Json& option : member(config, "options")) {
        const std::string name = string_at(option, "name"), value = string_at(option, "value");
        std::erase_if(options, [&](const std::string& known) {
            return known == name || known.starts_with(name + ":");
        });
        options.push_back(value.empty() ? name : name + ":" + value);
    }
    std::string text;
    if (!searches.empty()) text += "search " + joined(searches, " ") + "\n";
    for (const std::string& server : servers) text += "nameserver " + server + "\n";
    if (!options.empty()) text += "options " + joined(options, " ") + "\n";
    return text;
}

std::map<std::string, std::string> etc_files(const PodPlace& place, const Identity& identity,
                                             const Environment& environment) {
    std::map<std::string, std::string> files;
    for (const auto& [path, content] : environment.files) {
        if (!path.starts_with(environment.home + "/") || environment.home == "/")
            files[path] = content;
    }
    files["/etc/hosts"] = hosts_file(place);
    files["/etc/hostname"] = place.kernel_hostname() + "\n";
    files["/etc/resolv.conf"] = resolv_conf(place);
    files["/etc/nsswitch.conf"] =
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nnetworks: files\nprotocols: "
        "files\nservices: files\n";
    files["/etc/passwd"] = passwd_file(identity);
    files["/etc/group"] = group_file(identity);
    return files;
}

}  // namespace shed::kubelet
