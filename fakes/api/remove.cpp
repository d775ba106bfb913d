// Deletion as the real server's generic store does it: grace, finalizers, propagation, preconditions.
#include "fakes/api/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr const char* orphan_finalizer = "orphan";
constexpr const char* foreground_finalizer = "foregroundDeletion";

Error delete_invalid(std::string reason, std::string field, std::string message) {
    return options_invalid("DeleteOptions",
                           {std::move(reason), std::move(field), std::move(message)});
}

Result<void> check_options(const Json& options) {
    const std::string policy = string_at(options, "propagationPolicy");
    const bool orphan_given = member(options, "orphanDependents").is_boolean();
    if (!policy.empty() && orphan_given)
        return delete_invalid("FieldValueInvalid", "propagationPolicy",
                              "Invalid value: \"" + policy +
                                  "\": orphanDependents and deletionPropagation cannot be both set");
    if (!policy.empty() && policy != "Foreground" && policy != "Background" && policy != "Orphan")
        return delete_invalid("FieldValueNotSupported", "propagationPolicy",
                              "Unsupported value: \"" + policy +
                                  "\": supported values: \"Foreground\", \"Background\", \"Orphan\", "
                                  "\"nil\"");
    const Json& dry = member(options, "dryRun");
    if (dry.is_array() && !dry.empty() && dry != Json::array({"All"}))
        return delete_invalid("FieldValueNotSupported", "dryRun",
                              "Unsupported value: " + dump_json(dry) +
                                  ": supported values: \"All\"");
    return {};
}

Error precondition_failed(const Object& live, const std::string& what) {
    const Kind& kind = live.kind();
    Json details = {{"name", live.name()}, {"kind", kind.kind}};
    if (!kind.group.empty()) details["group"] = kind.group;
    return {Reason::conflict,
            "Operation cannot be fulfilled on " + kind.group_kind() + " \"" + live.name() + "\": " +
                what,
            dump_json(details)};
}

Result<void> check_preconditions(const Object& live, const Json& options) {
    const std::string uid = string_at(options, "preconditions.uid");
    if (!uid.empty() && uid != live.uid())
        return precondition_failed(
            live, "the UID in the precondition (" + uid + ") does not match the UID in record (" +
                      live.uid() + "). The object might have been deleted and then recreated");
    const std::string version = string_at(options, "preconditions.resourceVersion");
    const std::string ours = std::to_string(live.resource_version());
    if (!version.empty() && version != ours)
        return precondition_failed(
            live, "the ResourceVersion in the precondition (" + version +
                      ") does not match the ResourceVersion in record (" + ours +
                      "). The object might have been modified");
    return {};
}

bool has_finalizer(const Object& live, std::string_view name) {
    const auto& all = live.finalizers();
    return std::find(all.begin(), all.end(), name) != all.end();
}

// Whether the dependents are to be orphaned, or deleted first. The options win, then a finalizer that is there already,
// then the kind's default: Jobs orphan their pods unless told otherwise.
struct Propagation {
    bool orphan = false, foreground = false;
};

Propagation propagation_of(const Object& live, const Json& options) {
    const Kind& kind = live.kind();
    if (kind.plural == "events") return {};
    if (const Json& orphan = member(options, "orphanDependents"); orphan.is_boolean())
        return {orphan.get<bool>(), false};
    const std::string policy = string_at(options, "propagationPolicy");
    if (!policy.empty()) return {policy == "Orphan", policy == "Foreground"};
    if (has_finalizer(live, orphan_finalizer)) return {true, false};
    if (has_finalizer(live, foreground_finalizer)) return {false, true};
    return {kind.plural == "jobs" && kind.group == "batch", false};
}

std::vector<std::string> finalizers_after(const Object& live, Propagation propagation) {
    std::vector<std::string> result;
    for (const std::string& f : live.finalizers())
        if (f != orphan_finalizer && f != foreground_finalizer) result.push_back(f);
    if (propagation.orphan) result.emplace_back(orphan_finalizer);
    if (propagation.foreground) result.emplace_back(foreground_finalizer);
    return result;
}

std::int64_t pod_grace(const Json& pod, const Json& options) {
    const std::string phase = string_at(pod, "status.phase");
    std::int64_t grace = int_at(pod, "spec.terminationGracePeriodSeconds", 0);
    if (member(options, "gracePeriodSeconds").is_number_integer())
        grace = int_at(options, "gracePeriodSeconds");
    if (string_at(pod, "spec.nodeName").empty()) grace = 0;
    if (phase == "Failed" || phase == "Succeeded") grace = 0;
    return grace < 0 ? 1 : grace;
}

enum class Graceful { no, yes, already };

Time seconds_later(Time now, std::int64_t seconds) { return now + std::chrono::seconds(seconds); }

// rest.BeforeDelete for pods, the only kind that is deleted gracefully.
Graceful begin_pod_deletion(const Object& live, Json& pod, const Json& options, Time now) {
    Json& metadata = pod["metadata"];
    if (live.deleting()) {
        const std::int64_t old = int_at(metadata, "deletionGracePeriodSeconds");
        if (old == 0) return Graceful::no;
        const Json& asked = member(options, "gracePeriodSeconds");
        if (!asked.is_number_integer() || asked.get<std::int64_t>() >= old) return Graceful::already;
        const std::int64_t grace = std::max<std::int64_t>(0, asked.get<std::int64_t>());
        metadata["deletionGracePeriodSeconds"] = grace;
        metadata["deletionTimestamp"] = format_time(seconds_later(*live.deletion_timestamp(), grace - old));
        return Graceful::yes;
    }
    const std::int64_t grace = pod_grace(pod, options);
    metadata["deletionTimestamp"] = format_time(seconds_later(now, grace));
    metadata["deletionGracePeriodSeconds"] = grace;
    if (live.generation() > 0) metadata["generation"] = live.generation() + 1;
    return Graceful::yes;
}

void mark_deleting(Json& object, const Object& live, Time now) {
    Json& metadata = object["metadata"];
    if (!live.deleting()) {
        if (live.generation() > 0) metadata["generation"] = live.generation() + 1;
        metadata["deletionTimestamp"] = format_time(now);
    }
    metadata["deletionGracePeriodSeconds"] = 0;
}

bool dry_run(const Request& request, const Json& options) {
    return !request.parameter("dryRun").empty() || !member(options, "dryRun").empty();
}

}  // namespace

Result<ObjectPtr> Api::Impl::remove(const Request& request, const Json& options, Time now) {
    const ObjectPtr live =
        store.find({&stored_kind(*request.kind), request.ns, request.name});
    if (!live) return not_found(*request.kind, request.name);
    auto removed = remove_object(request, live, options, now);
    if (!removed) return removed.error();
    return presented(*request.kind, removed->object);
}

Result<Api::Impl::Removed> Api::Impl::remove_object(const Request& request, const ObjectPtr& live,
                                                    const Json& options, Time now) {
    if (auto checked = check_options(options); !checked) return checked.error();
    if (auto checked = check_preconditions(*live, options); !checked) return checked.error();
    const Kind& kind = live->kind();
    const bool dry = dry_run(request, options);
    if (kind.plural == "namespaces" && kind.group.empty()) {
        if (dry) return Removed{live, false};
        return remove_namespace(request, live, now);
    }
    Json changed = live->dom();
    Graceful graceful = Graceful::no;
    if (kind.plural == "pods" && kind.group.empty())
        graceful = begin_pod_deletion(*live, changed, options, now);
    if (graceful == Graceful::already) return Removed{live, false};

    const auto finalizers = finalizers_after(*live, propagation_of(*live, options));
    if (finalizers.empty()) changed["metadata"].erase("finalizers");
    else changed["metadata"]["finalizers"] = finalizers;
    if (!finalizers.empty() && graceful == Graceful::no) mark_deleting(changed, *live, now);
    const bool lingers =
        !finalizers.empty() || int_at(changed, "metadata.deletionGracePeriodSeconds") > 0;
    if (dry) return Removed{Object::make(std::move(changed)), !lingers};

    const bool worth_writing = lingers || graceful == Graceful::yes;
    ObjectPtr stored = live;
    if (worth_writing && changed != live->dom()) stored = store.put(std::move(changed));
    if (lingers) return Removed{stored, false};
    return Removed{store.remove(live->key()), true};
}

// A namespace goes when its controller has emptied it and taken spec.finalizers away.
Api::Impl::Removed Api::Impl::remove_namespace(const Request& request, const ObjectPtr& live,
                                               Time now) {
    static_cast<void>(request);
    Json changed = live->dom();
    const bool empty = member(changed["spec"], "finalizers").empty() && live->finalizers().empty();
    if (live->deleting()) {
        if (empty) return {store.remove(live->key()), true};
        return {live, false};
    }
    changed["metadata"]["deletionTimestamp"] = format_time(now);
    changed["status"]["phase"] = "Terminating";
    const ObjectPtr stored = store.put(std::move(changed));
    if (empty) return {store.remove(live->key()), true};
    return {stored, false};
}

}  // namespace shed
