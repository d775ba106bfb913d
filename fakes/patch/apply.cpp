// Server-side apply: a merge by list keys, in which a manager that applies again takes back what it
// no longer names (sigs.k8s.io/structured-merge-diff). What each manager applied is kept in
// metadata.managedFields.
#include "fakes/patch/field_set.hpp"
#include "fakes/patch/patch.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>

namespace shed {

namespace {

// What ownership is never kept of: it identifies the object or is the server's own.
Json owned_part(Json applied) {
    for (const char* name : {"apiVersion", "kind"}) applied.erase(name);
    if (applied.contains("metadata")) {
        for (const char* name : {"name", "namespace", "uid", "resourceVersion", "generation",
                                 "creationTimestamp", "managedFields", "generateName", "selfLink"})
            applied["metadata"].erase(name);
        if (applied["metadata"].empty()) applied.erase("metadata");
    }
    return applied;
}

Json merge(const Json& live, const Json& applied, const Place& place);

Json merge_lists(const Json& live, const Json& applied, const Place& place, const ListRule& rule) {
    Json list = live;
    for (const Json& entry : applied) {
        const auto known = std::find_if(list.begin(), list.end(), [&](const Json& e) {
            return rule.merge == ListMerge::set ? e == entry
                                                : place.key_of(e) == place.key_of(entry);
        });
        if (known == list.end()) list.push_back(entry);
        else *known = merge(*known, entry, place.entry());
    }
    return list;
}

Json merge(const Json& live, const Json& applied, const Place& place) {
    if (live.is_array() && applied.is_array())
        if (const ListRule rule = place.applied(); rule.merge != ListMerge::atomic)
            return merge_lists(live, applied, place, rule);
    if (!live.is_object() || !applied.is_object() || place.atomic()) return applied;
    Json merged = live;
    for (const auto& [name, value] : applied.items()) {
        if (value.is_null()) merged.erase(name);
        else merged[name] = merge(member(merged, name), value, place.member(name));
    }
    return merged;
}

// One entry of metadata.managedFields, read.
struct Manager {
    Json entry;
    FieldSet fields;

    std::string text(const char* name) const { return string_at(entry, name); }
    // As conflicts name it.
    std::string title() const {
        std::string title = dump_json(member(entry, "manager"));
        if (const std::string part = text("subresource"); !part.empty())
            title += " with subresource " + dump_json(Json(part));
        return text("operation") == "Update" ? title + " using " + text("apiVersion") : title;
    }
    auto order() const {
        return std::tuple(text("operation"), text("time"), text("manager"), text("apiVersion"),
                          text("subresource"));
    }
};

std::vector<Manager> managers_of(const Json& live) {
    std::vector<Manager> managers;
    const Json& entries = at_path(live, "metadata.managedFields");
    if (!entries.is_array()) return managers;
    for (const Json& entry : entries)
        managers.push_back({entry, FieldSet::read(member(entry, "fieldsV1"))});
    return managers;
}

Json managed_fields(std::vector<Manager> managers) {
    std::sort(managers.begin(), managers.end(),
              [](const Manager& a, const Manager& b) { return a.order() < b.order(); });
    Json entries = Json::array();
    for (Manager& manager : managers) {
        if (manager.fields.empty()) continue;
        manager.entry["fieldsV1"] = manager.fields.fields_v1();
        entries.push_back(std::move(manager.entry));
    }
    return entries;
}

struct Conflict {
    std::string manager, path;
};

Error conflict_error(std::vector<Conflict> conflicts) {
    std::stable_sort(conflicts.begin(), conflicts.end(),
                     [](const Conflict& a, const Conflict& b) { return a.manager < b.manager; });
    Json causes = Json::array();
    std::string text, last;
    for (const Conflict& c : conflicts) {
        causes.push_back({{"reason", "FieldManagerConflict"},
                          {"message", "conflict with " + c.manager},
                          {"field", c.path}});
        if (c.manager != last)
            text += (last.empty() ? "" : "\n") + ("conflicts with " + c.manager) + ":";
        last = c.manager;
        text += "\n- " + c.path;
    }
    const std::string count = std::to_string(conflicts.size());
    if (conflicts.size() == 1)
        text = "Apply failed with 1 conflict: conflict with " + conflicts[0].manager + ": " +
               conflicts[0].path;
    else text = "Apply failed with " + count + " conflicts: " + text;
    return {Reason::conflict, text, dump_json({{"causes", causes}})};
}

Manager manager_for(const Kind& kind, const ApplyOptions& options, FieldSet fields) {
    Json entry = {{"manager", options.manager},
                  {"operation", "Apply"},
                  {"apiVersion", kind.api_version()},
                  {"time", format_time(options.now)},
                  {"fieldsType", "FieldsV1"}};
    if (!options.subresource.empty()) entry["subresource"] = options.subresource;
    return {std::move(entry), std::move(fields)};
}

bool is_same_manager(const Manager& manager, const ApplyOptions& options) {
    return manager.text("operation") == "Apply" && manager.text("manager") == options.manager &&
           manager.text("subresource") == options.subresource;
}

}  // namespace

Result<Json> apply_patch(const Kind& kind, const Json& live, const Json& applied,
                         const ApplyOptions& options) {
    if (!member(member(applied, "metadata"), "managedFields").is_null())
        return Error{Reason::bad_request, "metadata.managedFields must be nil"};
    const Place root = Place::of(kind.api_version(), kind.kind);
    const FieldSet mine = FieldSet::of(owned_part(applied), root);
    Json merged = merge(live, applied, root);

    std::vector<Manager> managers;
    FieldSet before, kept = mine;
    std::vector<Conflict> conflicts;
    for (Manager& manager : managers_of(live)) {
        if (is_same_manager(manager, options)) {
            before = std::move(manager.fields);
            continue;
        }
        const FieldSet taken = changed_paths(manager.fields, live, merged, root);
        for (const std::string& path : path_texts(taken))
            conflicts.push_back({manager.title(), path});
        manager.fields.remove(taken);
        kept.add(manager.fields);
        managers.push_back(std::move(manager));
    }
    if (!conflicts.empty() && !options.force) return conflict_error(std::move(conflicts));

    take_out(merged, before.without(kept), kept, root);
    if (!live.is_null() && before == mine && merged == live) return live;
    managers.push_back(manager_for(kind, options, mine));
    merged["metadata"]["managedFields"] = managed_fields(std::move(managers));
    return merged;
}

void record_update(const Kind&, const Json& live, Json& object, const ApplyOptions&) {
    // Unlike kube-apiserver: plain writes own nothing, so an apply over them never conflicts
    // (docs/fidelity.md). What appliers own is carried along.
    const Json& entries = at_path(live, "metadata.managedFields");
    if (entries.is_array() && member(member(object, "metadata"), "managedFields").is_null())
        object["metadata"]["managedFields"] = entries;
}

}  // namespace shed
