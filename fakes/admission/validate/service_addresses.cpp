// A Service's addresses and their families: what may be asked for, and what stays as it is.
#include "fakes/admission/validate/rules.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view once_set = "may not change once set";
constexpr std::size_t families_max = 2;

void validate_families(const Field& spec) {
    static constexpr std::string_view families[] = {"IPv4", "IPv6"};
    static constexpr std::string_view policies[] = {"PreferDualStack", "RequireDualStack",
                                                    "SingleStack"};
    std::set<std::string> seen;
    for (const Field& family : spec["ipFamilies"].items()) {
        family.one_of_if_set(families);
        if (!seen.insert(family.text()).second) family.duplicate();
    }
    spec["ipFamilyPolicy"].one_of_if_set(policies);
}

// False when the addresses are not good enough to be compared with anything.
bool validate_each_address(const Field& ips) {
    const std::size_t before = ips.complaints();
    for (const Field& ip : ips.items()) {
        const bool first = ip.path().ends_with("[0]");
        if (!first || !ip.is("None")) validate_ip(ip);
        else if (ips.size() > 1) ips.invalid("'None' must be the first and only value");
    }
    const bool good = ips.complaints() == before;
    if (ips.size() > families_max) ips.invalid("may only hold up to 2 values");
    return good;
}

void validate_against_families(const Field& ips, const Field& families) {
    const auto addresses = ips.items(), wanted = families.items();
    for (std::size_t i = 0; i < addresses.size() && i < wanted.size(); ++i) {
        const bool v6 = is_ipv6(addresses[i].text());
        const std::string by = " value as indicated by `ipFamilies[" + std::to_string(i) + "]`";
        if (wanted[i].is("IPv4") && v6) addresses[i].invalid("expected an IPv4" + by);
        if (wanted[i].is("IPv6") && !v6) addresses[i].invalid("expected an IPv6" + by);
    }
}

// Lists that may grow and lose their second entry, but keep the first.
void keep_first(const Change& spec, const char* name, const char* unset, const char* released) {
    const Field now = spec[name];
    const auto& before = list_of(spec.old, name);
    const std::size_t had = before.size(), has = now.size();
    const Field first = now.moved(item_path(now.path(), 0));
    if (had == has) {
        for (std::size_t i = 0; i < had; ++i)
            if (now.json()[i] != before[i]) now.moved(item_path(now.path(), i)).invalid(once_set);
        return;
    }
    if (had > has && has == 0) first.invalid(unset);
    if (had > 0 && has > 0 && now.json()[0] != before[0]) first.invalid(once_set);
    const Field policy = spec["ipFamilyPolicy"];
    if (had > has && has == 1 && !policy.is("SingleStack"))
        policy.invalid("must be set to 'SingleStack' when releasing the secondary " +
                       std::string(released));
}

}  // namespace

void validate_service_addresses(const Field& service) {
    const Field spec = service["spec"], ip = spec["clusterIP"], ips = spec["clusterIPs"];
    if (spec["type"].is("ExternalName")) return;
    if (!ip.text().empty()) {
        if (ips.size() == 0) ips.required();
        else if (ips.json()[0] != ip.json()) ips.invalid("first value must match `clusterIP`");
    } else if (ips.size() > 0) {
        ips.invalid("must be empty when `clusterIP` is not specified");
    }
    validate_families(spec);
    if (!validate_each_address(ips)) return;
    if (ips.size() == families_max && is_ipv6(ips.item(0).text()) == is_ipv6(ips.item(1).text()))
        ips.invalid("may specify no more than one IP for each IP family");
    if (!is_headless(service.json())) validate_against_families(ips, spec["ipFamilies"]);
}

void validate_service_address_update(const Change& service) {
    const Field spec = service["spec"];
    if (spec["type"].is("ExternalName") || string_at(service.old, "spec.type") == "ExternalName")
        return;
    const bool headless = is_headless(service.now.json()), was_headless = is_headless(service.old);
    if (headless && was_headless) return;
    const Change change{spec, member(service.old, "spec")};
    keep_first(change, "clusterIPs", "primary clusterIP can not be unset", "clusterIP");
    if (headless == was_headless)
        keep_first(change, "ipFamilies", "primary ipFamily can not be unset", "ipFamily");
}

}  // namespace shed::admission
