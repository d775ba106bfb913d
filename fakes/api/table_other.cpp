// Rows of the remaining groups.
#include "fakes/api/table.hpp"

namespace shed {

namespace {

const Column name_column{"Name", 0, "name"};

Row lease_row(const Object& object, Time now) {
    return {{object.name(), string_at(object.dom(), "spec.holderIdentity"), age_of(object, now)}};
}

Row storage_class_row(const Object& object, Time now) {
    const Json& sc = object.dom();
    const Json& marked =
        member(at_path(sc, "metadata.annotations"), "storageclass.kubernetes.io/is-default-class");
    const bool is_default = marked == Json("true");
    return {{object.name() + (is_default ? " (default)" : ""), string_at(sc, "provisioner"),
             string_at(sc, "reclaimPolicy", "Delete"), string_at(sc, "volumeBindingMode", "<unset>"),
             bool_at(sc, "allowVolumeExpansion"), age_of(object, now)}};
}

Row priority_class_row(const Object& object, Time now) {
    const Json& pc = object.dom();
    return {{object.name(), int_at(pc, "value"), bool_at(pc, "globalDefault"), age_of(object, now),
             string_at(pc, "preemptionPolicy")}};
}

std::string slice_ports(const Json& slice) {
    const Json& ports = member(slice, "ports");
    if (!ports.is_array() || ports.empty()) return "<unset>";
    std::string text;
    for (const Json& port : ports)
        text += (text.empty() ? "" : ",") +
                (member(port, "port").is_number() ? std::to_string(int_at(port, "port")) : "*");
    return text;
}

std::string slice_endpoints(const Json& slice) {
    constexpr std::size_t shown_max = 3;
    const Json& endpoints = member(slice, "endpoints");
    if (!endpoints.is_array() || endpoints.empty()) return "<unset>";
    std::vector<std::string> all;
    for (const Json& endpoint : endpoints)
        for (const Json& address : member(endpoint, "addresses"))
            if (address.is_string()) all.push_back(address.get<std::string>());
    std::string text;
    for (std::size_t i = 0; i < all.size() && i < shown_max; ++i) text += (i > 0 ? "," : "") + all[i];
    if (all.size() > shown_max) text += " + " + std::to_string(all.size() - shown_max) + " more...";
    return text;
}

Row endpoint_slice_row(const Object& object, Time now) {
    const Json& slice = object.dom();
    return {{object.name(), string_at(slice, "addressType"), slice_ports(slice),
             slice_endpoints(slice), age_of(object, now)}};
}

Row runtime_class_row(const Object& object, Time now) {
    return {{object.name(), string_at(object.dom(), "handler"), age_of(object, now)}};
}

Row webhooks_row(const Object& object, Time now) {
    return {{object.name(), static_cast<std::int64_t>(member(object.dom(), "webhooks").size()),
             age_of(object, now)}};
}

std::string subjects_text(const Json& binding, std::string_view kind) {
    std::string text;
    const Json& subjects = member(binding, "subjects");
    if (!subjects.is_array()) return text;
    for (const Json& s : subjects) {
        if (string_at(s, "kind") != kind) continue;
        const std::string ns = string_at(s, "namespace");
        text += (text.empty() ? "" : ", ") + (ns.empty() ? "" : ns + "/") + string_at(s, "name");
    }
    return text;
}

Row role_binding_row(const Object& object, Time now) {
    const Json& binding = object.dom();
    return {{object.name(),
             string_at(binding, "roleRef.kind") + "/" + string_at(binding, "roleRef.name"),
             age_of(object, now), subjects_text(binding, "User"), subjects_text(binding, "Group"),
             subjects_text(binding, "ServiceAccount")}};
}

std::string count_or_na(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    return value.is_number() ? value.dump() : "N/A";
}

Row disruption_budget_row(const Object& object, Time now) {
    const Json& budget = object.dom();
    return {{object.name(), count_or_na(at_path(budget, "spec.minAvailable")),
             count_or_na(at_path(budget, "spec.maxUnavailable")),
             int_at(budget, "status.disruptionsAllowed"), age_of(object, now)}};
}

Row revision_row(const Object& object, Time now) {
    const OwnerReference* owner = object.controller();
    std::string controller = "<none>";
    if (owner != nullptr) {
        const Kind* kind = find_kind_by_name(owner->api_version, owner->kind);
        controller = (kind != nullptr ? std::string(kind->singular) + "." + std::string(kind->group)
                                      : owner->kind) +
                     "/" + owner->name;
    }
    return {{object.name(), controller, int_at(object.dom(), "revision"), age_of(object, now)}};
}

}  // namespace

std::optional<Printer> other_printer(const Kind& kind) {
    const std::string_view p = kind.plural;
    if (p == "leases") return Printer{{name_column, {"Holder"}, {"Age"}}, lease_row};
    if (p == "storageclasses")
        return Printer{{name_column, {"Provisioner"}, {"ReclaimPolicy"}, {"VolumeBindingMode"},
                        {"AllowVolumeExpansion"}, {"Age"}},
                       storage_class_row};
    if (p == "priorityclasses")
        return Printer{{name_column, {"Value"}, {"Global-Default"}, {"Age"}, {"PreemptionPolicy"}},
                       priority_class_row};
    if (p == "endpointslices")
        return Printer{{name_column, {"AddressType"}, {"Ports"}, {"Endpoints"}, {"Age"}},
                       endpoint_slice_row};
    if (p == "runtimeclasses") return Printer{{name_column, {"Handler"}, {"Age"}}, runtime_class_row};
    if (p == "mutatingwebhookconfigurations" || p == "validatingwebhookconfigurations")
        return Printer{{name_column, {"Webhooks"}, {"Age"}}, webhooks_row};
    if (p == "rolebindings" || p == "clusterrolebindings")
        return Printer{{name_column, {"Role"}, {"Age"}, {"Users", 1}, {"Groups", 1},
                        {"ServiceAccounts", 1}},
                       role_binding_row};
    if (p == "poddisruptionbudgets")
        return Printer{{name_column, {"Min Available"}, {"Max Unavailable"}, {"Allowed Disruptions"},
                        {"Age"}},
                       disruption_budget_row};
    if (p == "controllerrevisions")
        return Printer{{name_column, {"Controller"}, {"Revision"}, {"Age"}}, revision_row};
    return std::nullopt;
}

}  // namespace shed
