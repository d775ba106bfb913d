// What every namespace has, and how one ends: its content first, then itself.
#include "fakes/controllers/common.hpp"

namespace shed::controllers {

namespace {

const Kind& service_accounts() { return kind_of("v1", "ServiceAccount"); }

bool terminating(const Object& ns) { return ns.deleting(); }

std::vector<const Kind*> namespaced_kinds() {
    std::vector<const Kind*> kinds;
    for (const Kind& kind : all_kinds())
        // Events are stored once, as core.
        if (kind.namespaced && !kind.create_only && kind.group != "events.k8s.io")
            kinds.push_back(&kind);
    return kinds;
}

Plan empty_namespace(const Snapshot& cluster, const Key& key, const Inputs&) {
    Plan plan;
    const ObjectPtr ns = cluster.find(key);
    if (!ns || !terminating(*ns)) return plan;
    bool remaining = false;
    for (const Kind* kind : namespaced_kinds())
        for (const ObjectPtr& object : cluster.list(*kind, key.name)) {
            remaining = true;
            if (!object->deleting())
                plan.actions.push_back(Delete{object->key(), object->uid(), "Background"});
        }
    if (remaining) return plan;
    Json updated = ns->dom();
    updated["spec"]["finalizers"] = Json::array();
    plan.actions.push_back(Update{std::move(updated), "finalize"});
    return plan;
}

// Something in a namespace that ends: look whether it was the last.
std::vector<Key> ending_namespace_of(const Snapshot& cluster, const Object& changed) {
    if (changed.ns().empty()) return {};
    const Key key{&namespaces(), "", changed.ns()};
    const ObjectPtr ns = cluster.find(key);
    if (!ns || !terminating(*ns)) return {};
    return {key};
}

Json root_ca_map(const std::string& ns, const std::string& pem) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata",
             {{"name", "kube-root-ca.crt"},
              {"namespace", ns},
              {"annotations",
               {{"kubernetes.io/description",
                 "Contains a CA bundle that can be used to verify the kube-apiserver when using "
                 "internal endpoints such as the internal service IP or kubernetes.default.svc. "
                 "No other usage is guaranteed across distributions of Kubernetes clusters."}}}}},
            {"data", {{"ca.crt", pem}}}};
}

Plan furnish_namespace(const Snapshot& cluster, const Key& key, const Inputs& in) {
    Plan plan;
    const ObjectPtr ns = cluster.find(key);
    if (!ns || terminating(*ns)) return plan;
    if (!cluster.find({&service_accounts(), key.name, "default"}))
        plan.actions.push_back(Create{{{"apiVersion", "v1"},
                                       {"kind", "ServiceAccount"},
                                       {"metadata", {{"name", "default"}, {"namespace", key.name}}}}});
    const Key map{&config_maps(), key.name, "kube-root-ca.crt"};
    const ObjectPtr known = cluster.find(map);
    const Json wanted = root_ca_map(key.name, in.root_ca_pem);
    if (!known) plan.actions.push_back(Create{wanted});
    else if (member(known->dom(), "data") != member(wanted, "data")) {
        Json mended = known->dom();
        mended["data"] = member(wanted, "data");
        plan.actions.push_back(Update{std::move(mended)});
    }
    return plan;
}

std::vector<Key> furnished_namespace_of(const Snapshot&, const Object& changed) {
    const bool account = &changed.kind() == &service_accounts() && changed.name() == "default";
    const bool map = &changed.kind() == &config_maps() && changed.name() == "kube-root-ca.crt";
    if (!account && !map) return {};
    return {Key{&namespaces(), "", changed.ns()}};
}

}  // namespace

Controller namespace_controller() {
    return {"namespace",        "kube-controller-manager", &namespaces(),
            namespaced_kinds(), ending_namespace_of,       empty_namespace};
}

Controller namespace_furniture_controller() {
    return {"serviceaccount",
            "kube-controller-manager",
            &namespaces(),
            {&service_accounts(), &config_maps()},
            furnished_namespace_of,
            furnish_namespace};
}

}  // namespace shed::controllers
