// Server-side apply: a merge by list keys, in which a manager that applies again takes back what it no longer names.
// Ownership is kept per manager as the set of paths it applied, in metadata.managedFields (FieldsV1).
#include "fakes/patch/merge_keys.hpp"
#include "fakes/patch/patch.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

// "k:{"name":"a"}": how FieldsV1 names an entry of a list map.
std::string entry_name(const Json& entry, const ListRule& rule) {
    Json key = Json::object();
    for (const std::string_view k : rule.keys)
        if (!member(entry, k).is_null()) key[std::string(k)] = member(entry, k);
    return "k:" + dump_json(key);
}

bool same_entry(const Json& a, const Json& b, const ListRule& rule) {
    return std::all_of(rule.keys.begin(), rule.keys.end(), [&](std::string_view k) {
        const Json& left = member(a, k);
        const Json& right = member(b, k);
        // A defaulted key (ports' protocol) may be absent in what was applied.
        return left == right || (k != rule.keys.front() && (left.is_null() || right.is_null()));
    });
}

// The set of paths of `value`, as FieldsV1.
Json fields_of(const Json& value, std::string_view parent) {
    Json fields = Json::object();
    for (const auto& [name, child] : value.items()) {
        Json& own = fields["f:" + name] = Json::object();
        if (child.is_object() && !child.empty()) {
            own = fields_of(child, name);
        } else if (child.is_array()) {
            const ListRule rule = list_rule(parent, name);
            if (rule.merge == ListMerge::atomic) continue;
            for (const Json& entry : child) {
                if (rule.merge == ListMerge::set) {
                    own["v:" + dump_json(entry)] = Json::object();
                    continue;
                }
                Json inner = fields_of(entry, name);
                inner["."] = Json::object();
                own[entry_name(entry, rule)] = std::move(inner);
            }
        }
    }
    return fields;
}

// What ownership is never kept of: it identifies the object or is the server's own.
Json owned_part(Json applied) {
    for (const char* name : {"apiVersion", "kind"}) applied.erase(name);
    if (applied.contains("metadata")) {
        for (const char* name : {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp",
                                 "managedFields", "generateName"})
            applied["metadata"].erase(name);
        if (applied["metadata"].empty()) applied.erase("metadata");
    }
    return applied;
}

Json merge(const Json& live, const Json& applied, std::string_view parent) {
    if (!live.is_object() || !applied.is_object()) return applied;
    Json merged = live;
    for (const auto& [name, value] : applied.items()) {
        const Json before = member(merged, name);
        const ListRule rule = value.is_array() ? list_rule(parent, name) : ListRule{};
        if (value.is_null()) {
            merged.erase(name);
        } else if (value.is_object() && before.is_object()) {
            merged[name] = merge(before, value, name);
        } else if (!value.is_array() || !before.is_array() || rule.merge == ListMerge::atomic) {
            merged[name] = value;
        } else {
            Json& list = merged[name];
            for (const Json& entry : value) {
                const auto known = std::find_if(list.begin(), list.end(), [&](const Json& e) {
                    return rule.merge == ListMerge::set ? e == entry : same_entry(e, entry, rule);
                });
                if (known == list.end()) list.push_back(entry);
                else if (rule.merge == ListMerge::by_key) *known = merge(*known, entry, name);
            }
        }
    }
    return merged;
}

bool is_leaf(const Json& fields) { return fields.empty() || (fields.size() == 1 && fields.contains(".")); }

// Removes from `object` the paths of `fields` that are in none of `kept`.
void take_back(Json& object, const Json& fields, const std::vector<const Json*>& kept, std::string_view parent) {
    for (const auto& [path, inner] : fields.items()) {
        if (path == ".") continue;
        std::vector<const Json*> others;
        for (const Json* keeper : kept)
            if (keeper->contains(path)) others.push_back(&keeper->at(path));
        if (path.starts_with("f:")) {
            const std::string name = path.substr(2);
            if (!object.is_object() || !object.contains(name)) continue;
            if (others.empty() && (is_leaf(inner) || !object[name].is_structured())) object.erase(name);
            else if (!is_leaf(inner)) {
                take_back(object[name], inner, others, name);
                if (others.empty() && object[name].empty()) object.erase(name);
            }
        } else if (object.is_array()) {
            const bool is_value = path.starts_with("v:");
            const auto key = parse_json(path.substr(2));
            if (!key) continue;
            const ListRule rule = list_rule("", parent);
            auto& list = object.get_ref<Json::array_t&>();
            const auto found = std::find_if(list.begin(), list.end(), [&](const Json& e) {
                return is_value ? e == *key : same_entry(e, *key, rule);
            });
            if (found == list.end()) continue;
            if (others.empty()) list.erase(found);
            else if (!is_value) take_back(*found, inner, others, parent);
        }
    }
}

bool is_apply_entry(const Json& entry, const ApplyOptions& options) {
    return string_at(entry, "operation") == "Apply" && string_at(entry, "manager") == options.manager &&
           string_at(entry, "subresource") == options.subresource;
}

struct Conflict {
    std::string manager, field;
};

std::string dotted(const std::string& path, const std::string& step) {
    if (step.starts_with("f:")) return path + "." + step.substr(2);
    return path + "[" + step.substr(2) + "]";
}

// Leaves that both sets name and whose values differ between live and applied.
void find_conflicts(const Json& mine, const Json& theirs, const Json& live, const Json& merged, const std::string& path,
                    const std::string& manager, std::vector<Conflict>& found) {
    for (const auto& [step, inner] : mine.items()) {
        if (step == "." || !theirs.contains(step)) continue;
        if (!step.starts_with("f:")) continue;  // Entries of lists merge; their own members are compared by value below.
        const std::string name = step.substr(2);
        const Json& before = member(live, name);
        const Json& after = member(merged, name);
        if (is_leaf(inner) || !before.is_object()) {
            if (before != after) found.push_back({manager, dotted(path, step)});
        } else {
            find_conflicts(inner, theirs.at(step), before, after, dotted(path, step), manager, found);
        }
    }
}

Error conflict_error(const std::vector<Conflict>& conflicts) {
    Json causes = Json::array();
    std::string text;
    for (const Conflict& c : conflicts) {
        const std::string with = "conflict with \"" + c.manager + "\"";
        causes.push_back({{"reason", "FieldManagerConflict"}, {"message", with}, {"field", c.field}});
        text += (text.empty() ? "" : "\n") + with + ": " + c.field;
    }
    const std::string count = std::to_string(conflicts.size());
    const std::string message = conflicts.size() == 1 ? "Apply failed with 1 conflict: " + text
                                                      : "Apply failed with " + count + " conflicts: " + text;
    return {Reason::conflict, message, dump_json({{"causes", causes}})};
}

Json entry_of(const Kind& kind, const ApplyOptions& options, const char* operation, Json fields) {
    Json entry = {{"manager", options.manager},
                  {"operation", operation},
                  {"apiVersion", kind.api_version()},
                  {"time", format_time(options.now)},
                  {"fieldsType", "FieldsV1"},
                  {"fieldsV1", std::move(fields)}};
    if (!options.subresource.empty()) entry["subresource"] = options.subresource;
    return entry;
}

}  // namespace

Result<Json> apply_patch(const Kind& kind, const Json& live, const Json& applied, const ApplyOptions& options) {
    if (!member(member(applied, "metadata"), "managedFields").is_null())
        return Error{Reason::bad_request, "metadata.managedFields must be nil"};
    Json merged = live.is_null() ? applied : merge(live, applied, "");
    Json entries = live.is_null() ? Json::array() : at_path(live, "metadata.managedFields");
    if (!entries.is_array()) entries = Json::array();
    const Json mine = fields_of(owned_part(applied), "");
    Json before;
    std::vector<Conflict> conflicts;
    std::vector<const Json*> kept = {&mine};
    for (Json& entry : entries) {
        const Json& fields = member(entry, "fieldsV1");
        if (is_apply_entry(entry, options)) {
            before = entry;
            continue;
        }
        kept.push_back(&fields);
        find_conflicts(mine, fields, live, merged, "", string_at(entry, "manager"), conflicts);
    }
    if (!conflicts.empty() && !options.force) return conflict_error(conflicts);
    if (before.is_object()) take_back(merged, member(before, "fieldsV1"), kept, "");
    const bool same_fields = before.is_object() && member(before, "fieldsV1") == mine;
    if (!live.is_null() && same_fields && merged == live) return live;
    Json fresh = Json::array();
    for (const Json& entry : entries)
        if (!is_apply_entry(entry, options)) fresh.push_back(entry);
    fresh.push_back(entry_of(kind, options, "Apply", mine));
    merged["metadata"]["managedFields"] = std::move(fresh);
    return merged;
}

void record_update(const Kind&, const Json& live, Json& object, const ApplyOptions&) {
    // Unlike kube-apiserver: plain writes own nothing, so an apply over them never conflicts (docs/fidelity.md). What
    // appliers own is carried along.
    const Json& entries = at_path(live, "metadata.managedFields");
    if (entries.is_array() && member(member(object, "metadata"), "managedFields").is_null())
        object["metadata"]["managedFields"] = entries;
}

}  // namespace shed
