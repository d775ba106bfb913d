// Amounts of resources. Quantities arrive in their canonical form, as they are quoted.
#include "fakes/admission/validate/rules.hpp"
#include "fakes/base/text.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

namespace {

constexpr std::string_view huge_pages = "hugepages-";
constexpr std::string_view container_resources[] = {"cpu", "memory", "ephemeral-storage"};
constexpr std::string_view pod_resources[] = {"cpu", "hugepages-", "memory"};
constexpr std::string_view countable[] = {"pods",
                                          "resourcequotas",
                                          "services",
                                          "replicationcontrollers",
                                          "secrets",
                                          "configmaps",
                                          "persistentvolumeclaims",
                                          "services.nodeports",
                                          "services.loadbalancers"};
constexpr std::string_view quota_resources[] = {
    "requests.cpu",  "requests.memory",          "requests.ephemeral-storage", "limits.cpu",
    "limits.memory", "limits.ephemeral-storage", "requests.storage",           "storage"};

template <std::size_t N>
bool is_among(std::string_view name, const std::string_view (&names)[N]) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool is_huge_page(std::string_view name) { return name.starts_with(huge_pages); }

bool is_native(std::string_view name) {
    return name.find('/') == std::string_view::npos ||
           name.find("kubernetes.io/") != std::string_view::npos;
}

bool is_extended(std::string_view name) {
    return !is_native(name) && !name.starts_with("requests.") &&
           qualified_name_problems("requests." + std::string(name)).empty();
}

// What may be promised more often than it is there.
bool may_be_overcommitted(std::string_view name) { return is_native(name) && !is_huge_page(name); }

bool is_standard(std::string_view name) {
    return is_among(name, container_resources) || is_among(name, countable) ||
           is_among(name, quota_resources) || is_huge_page(name) ||
           name.starts_with("requests.hugepages-");
}

// False when nothing more is to be said of the name.
bool validate_resource_name(const std::string& name, const Field& quantity) {
    const auto problems = qualified_name_problems(name);
    for (const std::string& why : problems) quantity.invalid(name, why);
    if (!problems.empty()) return false;
    const bool known = name.find('/') != std::string::npos || is_standard(name);
    if (!known) quantity.invalid(name, "must be a standard resource type or fully qualified");
    return known;
}

void validate_container_resource(const std::string& name, const Field& quantity) {
    validate_resource_name(name, quantity);
    if (name.find('/') == std::string::npos) {
        if (!is_among(name, container_resources) && !is_huge_page(name))
            quantity.invalid(name, "must be a standard resource for containers");
    } else if (!is_native(name) && !is_extended(name)) {
        quantity.invalid(name, "doesn't follow extended resource name standard");
    }
}

void validate_pod_resource(const std::string& name, const Field& quantity) {
    if (!validate_resource_name(name, quantity)) return;
    if (!is_among(name, pod_resources) && !is_huge_page(name))
        quantity.complain(not_supported(quantity.path(), name,
                                        {std::begin(pod_resources), std::end(pod_resources)}));
}

void validate_huge_pages(const std::string& name, const Field& quantity) {
    const auto page = Quantity::parse(name.substr(huge_pages.size()));
    const auto amount = Quantity::from_json(quantity.json());
    if (page && amount && page->milli() > 0 && page->milli() % 1000 == 0 &&
        amount->value() % page->value() == 0)
        return;
    quantity.invalid(quantity.text() + " is not positive integer multiple of " + name);
}

void validate_amount(const std::string& name, const Field& quantity, bool of_pod) {
    if (of_pod) validate_pod_resource(name, quantity);
    else validate_container_resource(name, quantity);
    validate_quantity(name, quantity);
}

void validate_against_limit(const std::string& name, const Field& request, const Field& requests,
                            const Field& limits) {
    const Json& limit = member(limits.json(), name);
    const auto asked = Quantity::from_json(request.json()), most = Quantity::from_json(limit);
    const bool overcommit = may_be_overcommitted(name);
    if (limit.is_null()) {
        if (!overcommit) limits.required("Limit must be set for non overcommitable resources");
        return;
    }
    if (!asked || !most) return;
    const std::string text = limit.is_string() ? limit.get<std::string>() : dump_json(limit);
    if (!overcommit && *asked != *most)
        requests.invalid(request.json(), "must be equal to " + name + " limit of " + text);
    else if (*asked > *most)
        requests.invalid(request.json(),
                         "must be less than or equal to " + name + " limit of " + text);
}

void validate_claims(const Field& claims, const std::set<std::string>& known) {
    std::set<std::string> seen;
    for (const Field& claim : claims.items()) {
        const Field name = claim["name"].moved(claim.path()), part = claim["request"];
        if (name.text().empty()) {
            name.required();
            continue;
        }
        named_if_set(part, dns_label_problems);
        const std::string key = name.text() + (part.text().empty() ? "" : "/" + part.text());
        const auto longer = seen.lower_bound(name.text() + "/");
        const bool overlaps =
            part.text().empty() && longer != seen.end() && longer->starts_with(name.text() + "/");
        if (seen.contains(name.text()) || seen.contains(key) || overlaps)
            name.duplicate(seen.contains(name.text()) || overlaps ? name.text() : key);
        seen.insert(key);
        if (known.contains(name.text())) continue;
        const std::string why = "must be one of the names in pod.spec.resourceClaims";
        name.not_found(known.empty() ? why + " which is empty" : why + ": " + joined(known, ", "));
    }
}

}  // namespace

bool is_integer_resource(std::string_view name) {
    return is_among(name, countable) || is_extended(name);
}

void validate_quantity(std::string_view resource, const Field& quantity) {
    const auto amount = Quantity::from_json(quantity.json());
    if (!amount) return;
    if (amount->milli() < 0) quantity.invalid("must be greater than or equal to 0");
    if (is_integer_resource(resource) && amount->milli() % 1000 != 0)
        quantity.invalid("must be an integer");
}

void validate_positive_quantity(const Field& quantity) {
    const auto amount = Quantity::from_json(quantity.json());
    if (amount && amount->milli() <= 0) quantity.invalid("must be greater than zero");
}

void validate_resources(const Field& requirements, const std::set<std::string>& claims,
                        bool of_pod) {
    const Field limits = requirements["limits"], requests = requirements["requests"];
    bool huge = false, base = false;
    const auto look_at = [&](const std::string& name, const Field& quantity) {
        base = base || name == "cpu" || name == "memory";
        if (!is_huge_page(name)) return;
        huge = true;
        validate_huge_pages(name, quantity);
    };
    for (const auto& [name, quantity] : limits.entries()) {
        validate_amount(name, quantity, of_pod);
        look_at(name, quantity);
    }
    for (const auto& [name, quantity] : requests.entries()) {
        validate_amount(name, quantity, of_pod);
        validate_against_limit(name, quantity, requests, limits);
        look_at(name, quantity);
    }
    if (huge && !base) requirements.forbidden("HugePages require cpu or memory");
    validate_claims(requirements["claims"], claims);
}

}  // namespace shed::admission
