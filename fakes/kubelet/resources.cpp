#include "fakes/kubelet/resources.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace shed::kubelet {

namespace {

Quantity amount(const Json& container, const char* list, std::string_view resource) {
    return Quantity::from_json(member(at_path(container, list), resource)).value_or(Quantity());
}

Quantity limit_of(const Json& container, std::string_view resource) {
    return amount(container, "resources.limits", resource);
}

Quantity request_of(const Json& container, std::string_view resource) {
    const Quantity request = amount(container, "resources.requests", resource);
    return request > Quantity() ? request : limit_of(container, resource);
}

// What a pod needs at a time (resource.PodRequests): all containers and sidecars together, or one
// init container beside the sidecars that came before it.
template <class Of>
Quantity sum(const Json& pod_spec, Of of) {
    Quantity together, before, most;
    for (const Json& init : at_path(pod_spec, "initContainers")) {
        const Quantity own = of(init);
        if (string_at(init, "restartPolicy") == "Always") before = before + own;
        most = std::max(most, string_at(init, "restartPolicy") == "Always" ? before : before + own);
    }
    for (const Json& container : at_path(pod_spec, "containers"))
        together = together + of(container);
    return std::max(most, together + before);
}

template <class Holds>
bool every_container(const Json& pod_spec, Holds holds) {
    for (const char* list : {"containers", "initContainers"})
        for (const Json& container : at_path(pod_spec, list))
            if (!holds(container)) return false;
    return true;
}

bool has_limit(const Json& container, std::string_view resource) {
    return limit_of(container, resource) > Quantity();
}

std::int64_t milli(Quantity quantity) { return static_cast<std::int64_t>(quantity.milli()); }

bool binds(const Json& container, std::int64_t cores) {
    const Quantity limit = limit_of(container, "cpu");
    return limit > Quantity() && milli(limit) < cores * 1000;
}

bool has_own_cpu(const Json& pod_spec, std::int64_t cores) {
    return !every_container(pod_spec, [&](const Json& c) { return !binds(c, cores); });
}

}  // namespace

// A pod is limited as a whole only when each of its containers is.
CgroupLimits pod_limits(const Json& pod_spec, std::int64_t cores, std::int64_t pids) {
    CgroupLimits limits;
    limits.pids = pids;
    limits.own_cpu = has_own_cpu(pod_spec, cores);
    const auto requested = [](const Json& c) { return request_of(c, "cpu"); };
    limits.cpu_shares = cpu_shares_of(milli(sum(pod_spec, requested)));
    if (every_container(pod_spec, [](const Json& c) { return has_limit(c, "cpu"); })) {
        const auto limited = [](const Json& c) { return limit_of(c, "cpu"); };
        limits.cpu_quota_us = cpu_quota_of(milli(sum(pod_spec, limited)));
    }
    if (every_container(pod_spec, [](const Json& c) { return has_limit(c, "memory"); })) {
        const auto limited = [](const Json& c) { return limit_of(c, "memory"); };
        limits.memory_bytes = sum(pod_spec, limited).value();
    }
    return limits;
}

CgroupLimits container_limits(const Json& pod_spec, const Json& container, std::int64_t cores) {
    CgroupLimits limits;
    limits.die_as_one = true;
    limits.own_cpu = has_own_cpu(pod_spec, cores);
    limits.cpu_shares = cpu_shares_of(milli(request_of(container, "cpu")));
    if (binds(container, cores))
        limits.cpu_quota_us = cpu_quota_of(milli(limit_of(container, "cpu")));
    if (has_limit(container, "memory")) limits.memory_bytes = limit_of(container, "memory").value();
    return limits;
}

}  // namespace shed::kubelet
