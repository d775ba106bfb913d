// Server-side apply: a merge by list keys, in which a manager that applies again takes back what it
// no longer names (sigs.k8s.io/structured-merge-diff). What each manager applied is kept in
// metadata.managedFields.
#include "fakes/patch/managers.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

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

}  // namespace

Result<Json> apply_patch(const Kind& kind, const Json& live, const Json& applied,
                         const ApplyOptions& options) {
    if (!member(member(applied, "metadata"), "managedFields").is_null())
        return Error{Reason::bad_request, "metadata.managedFields must be nil"};
    const Place root = Place::of(kind.api_version(), kind.kind);
    const FieldSet mine = FieldSet::of(owned_part(applied), root);
    Json merged = merge(live, applied, root);

    std::vector<FieldManager> managers;
    FieldSet before, kept = mine;
    std::vector<Conflict> conflicts;
    for (FieldManager& manager : managers_of(live)) {
        if (manager.is(options, "Apply")) {
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
    managers.push_back(manager_for(kind, options, "Apply", mine));
    merged["metadata"]["managedFields"] = managed_fields(std::move(managers));
    return merged;
}

}  // namespace shed
