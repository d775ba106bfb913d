#include "fakes/patch/field_set.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

bool names_field(const std::string& step) { return step.starts_with("f:"); }

// Such a value is replaced, not merged: nothing below it has an owner of its own.
bool is_whole(const Json& value, const Place& place) {
    if (value.is_object()) return place.atomic();
    return !value.is_array() || place.applied().merge == ListMerge::atomic;
}

std::string step_text(const std::string& step) {
    const std::string rest = step.substr(2);
    if (names_field(step)) return "." + rest;
    if (step.starts_with("v:")) return "[=" + rest + "]";
    std::string keys;
    if (const auto key = parse_json(rest); key && key->is_object())
        for (const auto& [name, value] : key->items())
            keys += (keys.empty() ? "" : ",") + name + "=" + dump_json(value);
    return "[" + keys + "]";
}

void collect_texts(const FieldSet& set, const std::string& path, std::vector<std::string>& texts) {
    if (set.member) texts.push_back(path);
    for (const auto& [step, inner] : set.children)
        collect_texts(inner, path + step_text(step), texts);
}

}  // namespace

FieldSet FieldSet::read(const Json& fields_v1) {
    FieldSet set;
    set.member = fields_v1.is_object() && (fields_v1.empty() || fields_v1.contains("."));
    for (const auto& [step, inner] : fields_v1.items())
        if (step.size() > 1) set.children.emplace(step, read(inner));
    return set;
}

Json FieldSet::fields_v1() const {
    Json fields = Json::object();
    if (member && !children.empty()) fields["."] = Json::object();
    for (const auto& [step, inner] : children) fields[step] = inner.fields_v1();
    return fields;
}

FieldSet FieldSet::of(const Json& object, const Place& place) {
    FieldSet set;
    if (object.is_object()) {
        for (const auto& [name, value] : object.items()) {
            const Place inside = place.member(name);
            FieldSet inner;
            const bool bare = value.is_object() && value.empty();
            if (bare || is_whole(value, inside)) inner.member = true;
            else inner = of(value, inside);
            if (!inner.empty()) set.children.emplace("f:" + name, std::move(inner));
        }
    } else if (object.is_array()) {
        const ListRule rule = place.applied();
        for (const Json& entry : object) {
            const bool value = rule.merge == ListMerge::set;
            FieldSet inner = value ? FieldSet() : of(entry, place.entry());
            inner.member = true;
            const std::string step =
                value ? "v:" + dump_json(entry) : "k:" + dump_json(place.key_of(entry));
            set.children[step] = std::move(inner);
        }
    }
    return set;
}

void FieldSet::remove(const FieldSet& other) {
    if (other.member) member = false;
    for (const auto& [step, inner] : other.children) {
        const auto found = children.find(step);
        if (found == children.end()) continue;
        found->second.remove(inner);
        if (found->second.empty()) children.erase(found);
    }
}

FieldSet FieldSet::without(const FieldSet& other) const {
    FieldSet left = *this;
    left.remove(other);
    return left;
}

void FieldSet::add(const FieldSet& other) {
    member |= other.member;
    for (const auto& [step, inner] : other.children) children[step].add(inner);
}

const Json* find_step(const Json& value, const std::string& step, const Place& place) {
    if (names_field(step)) {
        const Json& found = shed::member(value, std::string_view(step).substr(2));
        return found.is_null() ? nullptr : &found;
    }
    const auto key = parse_json(std::string_view(step).substr(2));
    if (!value.is_array() || !key) return nullptr;
    const bool is_value = step.starts_with("v:");
    const auto found = std::find_if(value.begin(), value.end(), [&](const Json& entry) {
        return is_value ? entry == *key : place.key_of(entry) == *key;
    });
    return found == value.end() ? nullptr : &*found;
}

Place place_of_step(const std::string& step, const Place& place) {
    return names_field(step) ? place.member(std::string_view(step).substr(2)) : place.entry();
}

FieldSet changed_paths(const FieldSet& owned, const Json& live, const Json& merged,
                       const Place& place) {
    FieldSet changed;
    for (const auto& [step, inner] : owned.children) {
        const Place inside = place_of_step(step, place);
        const Json* before = find_step(live, step, place);
        const Json* after = find_step(merged, step, place);
        if (after == nullptr) continue;
        FieldSet below;
        if (before != nullptr) below = changed_paths(inner, *before, *after, inside);
        const bool both_open =
            before != nullptr && before->type() == after->type() && !is_whole(*after, inside);
        below.member = inner.member && !both_open && (before == nullptr || *before != *after);
        if (!below.empty()) changed.children.emplace(step, std::move(below));
    }
    return changed;
}

void take_out(Json& value, const FieldSet& gone, const FieldSet& kept, const Place& place) {
    static const FieldSet nothing;
    for (const auto& [step, inner] : gone.children) {
        const auto found = kept.children.find(step);
        const FieldSet& keeps = found == kept.children.end() ? nothing : found->second;
        // The value is ours to change; only its place in the object had to be found.
        auto* part = const_cast<Json*>(find_step(value, step, place));
        if (part == nullptr) continue;
        const Place inside = place_of_step(step, place);
        const bool entry = !names_field(step);
        bool drop = inner.member && keeps.empty() && (entry || is_whole(*part, inside));
        if (!drop) {
            take_out(*part, inner, keeps, inside);
            drop = part->is_structured() && part->empty();
        }
        if (!drop) continue;
        if (value.is_object()) value.erase(step.substr(2));
        else value.erase(value.begin() + (part - &value.front()));
    }
}

std::vector<std::string> path_texts(const FieldSet& set) {
    std::vector<std::string> texts;
    collect_texts(set, "", texts);
    return texts;
}

}  // namespace shed
