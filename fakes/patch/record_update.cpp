// What a plain write (POST, PUT, PATCH) owns afterwards: what it added or changed, which others then
// own no more; and nobody owns what it took away.
#include "fakes/patch/managers.hpp"

namespace shed {

namespace {

constexpr std::string_view update = "Update";

struct Changes {
    FieldSet written, removed;
};

bool leads_on(const Json& value, const Place& place) {
    if (value.is_object()) return !place.atomic();
    return value.is_array() && place.applied().merge != ListMerge::atomic;
}

// Every path of a value, those that lead on too.
FieldSet all_paths(const Json& value, const Place& place) {
    FieldSet set = leads_on(value, place) ? FieldSet::of(value, place) : FieldSet();
    set.member = !value.is_null();
    for (auto& [step, inner] : set.children)
        if (const Json* part = find_step(value, step, place))
            inner = all_paths(*part, place_of_step(step, place));
    return set;
}

// The steps from a value to its parts.
std::vector<std::string> steps_of(const Json& value, const Place& place) {
    std::vector<std::string> steps;
    if (value.is_object()) {
        for (const auto& [name, part] : value.items())
            if (!part.is_null()) steps.push_back("f:" + name);
    } else if (value.is_array()) {
        const bool values = place.applied().merge == ListMerge::set;
        for (const Json& entry : value)
            steps.push_back(values ? "v:" + dump_json(entry)
                                   : "k:" + dump_json(place.key_of(entry)));
    }
    return steps;
}

Changes changes_between(const Json& before, const Json& after, const Place& place) {
    Changes changes;
    const auto keep = [](FieldSet& set, const std::string& step, FieldSet inner) {
        if (!inner.empty()) set.children[step] = std::move(inner);
    };
    for (const std::string& step : steps_of(after, place)) {
        const Place inside = place_of_step(step, place);
        const Json& now = *find_step(after, step, place);
        const Json* then = find_step(before, step, place);
        if (then == nullptr) {
            keep(changes.written, step, all_paths(now, inside));
        } else if (then->type() == now.type() && leads_on(now, inside)) {
            Changes below = changes_between(*then, now, inside);
            keep(changes.written, step, std::move(below.written));
            keep(changes.removed, step, std::move(below.removed));
        } else if (*then != now) {
            FieldSet changed;
            changed.member = true;
            keep(changes.written, step, std::move(changed));
        }
    }
    for (const std::string& step : steps_of(before, place))
        if (find_step(after, step, place) == nullptr)
            keep(changes.removed, step,
                 all_paths(*find_step(before, step, place), place_of_step(step, place)));
    return changes;
}

// The object's own metadata is nobody's, though parts of it are.
Json compared_part(const Json& object) {
    Json part = object.is_null() ? Json::object() : owned_part(object);
    if (!part.contains("metadata")) part["metadata"] = Json::object();
    return part;
}

}  // namespace

void record_update(const Kind& kind, const Json& live, Json& object, const ApplyOptions& options) {
    const Json& entries = at_path(live, "metadata.managedFields");
    // Unlike kube-apiserver: plain writes to built-in kinds own nothing, so an apply over them never
    // conflicts (docs/fidelity.md). What appliers own is carried along.
    if (!kind.custom) {
        if (entries.is_array() && member(member(object, "metadata"), "managedFields").is_null())
            object["metadata"]["managedFields"] = entries;
        return;
    }
    const Changes changes = changes_between(compared_part(live), compared_part(object),
                                            Place::of(kind.api_version(), kind.kind));
    std::vector<FieldManager> managers;
    FieldManager mine = manager_for(kind, options, update, {});
    FieldSet before;
    for (FieldManager& manager : managers_of(live)) {
        manager.fields.remove(changes.removed);
        if (manager.is(options, update)) {
            before = manager.fields;
            mine = std::move(manager);
            continue;
        }
        manager.fields.remove(changes.written);
        managers.push_back(std::move(manager));
    }
    mine.fields.add(changes.written);
    if (!(mine.fields == before) || mine.text("time").empty())
        mine.entry["time"] = format_time(options.now);
    managers.push_back(std::move(mine));
    Json fields = managed_fields(std::move(managers));
    if (fields.empty()) object["metadata"].erase("managedFields");
    else object["metadata"]["managedFields"] = std::move(fields);
}

}  // namespace shed
