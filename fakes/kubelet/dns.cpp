#include "fakes/kubelet/dns.hpp"

#include "fakes/podinit/protocol.hpp"

#include <nlohmann/json.hpp>

#include <map>
#include <set>

namespace shed::kubelet {
namespace {

using Table = std::map<std::string, std::set<std::string>>;

bool selects(const Json& selector, const Object& pod) {
    if (!selector.is_object() || selector.empty()) return false;
    for (const auto& [key, value] : selector.items()) {
        if (!value.is_string() || pod.label(key) != value.get<std::string>()) return false;
    }
    return true;
}

void add_pod(const Object& service, const DnsPod& pod, const std::string& name, Table& table) {
    const bool publish_all = bool_at(service.dom(), "spec.publishNotReadyAddresses");
    if (pod.terminal || pod.ip.empty() || !(publish_all || (pod.ready && !pod.pod->deleting())))
        return;
    table[name].insert(pod.ip);
    const Json& spec = member(pod.pod->dom(), "spec");
    const std::string hostname = string_at(spec, "hostname");
    if (!hostname.empty() && string_at(spec, "subdomain") == service.name())
        table[hostname + "." + name].insert(pod.ip);
}

}  // namespace

// Unlike kube-proxy: a Service's name leads straight to its ready pods instead of a virtual
// address, so port and targetPort must be equal for clients that use it.
std::string dns_table(const std::vector<ObjectPtr>& services, const std::vector<DnsPod>& pods) {
    Table table;
    table["kubernetes.default.svc.cluster.local"] = {podinit::api_address};
    table["host.trainshed.internal"] = {podinit::host_address};
    for (const ObjectPtr& service : services) {
        if (service->ns() == "default" && service->name() == "kubernetes") continue;
        const std::string name = service->name() + "." + service->ns() + ".svc.cluster.local";
        table[name];
        const Json& selector = at_path(service->dom(), "spec.selector");
        for (const DnsPod& pod : pods) {
            if (pod.pod->ns() == service->ns() && selects(selector, *pod.pod))
                add_pod(*service, pod, name, table);
        }
    }
    std::string text;
    for (const auto& [name, addresses] : table) {
        if (addresses.empty()) text += name + " -\n";
        for (const std::string& address : addresses) text += name + " " + address + "\n";
    }
    return text;
}

}  // namespace shed::kubelet
