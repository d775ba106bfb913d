// Strategic merge: objects merge by member, lists by merge key, with $patch, $retainKeys,
// $setElementOrder and $deleteFromPrimitiveList (k8s.io/apimachinery/pkg/util/strategicpatch).
#include "fakes/patch/merge_keys.hpp"
#include "fakes/patch/patch.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view order_prefix = "$setElementOrder/";
constexpr std::string_view delete_prefix = "$deleteFromPrimitiveList/";

bool is_directive(const std::string& name) { return name.starts_with('$'); }

// What a patch value means where there is nothing to merge with: itself, without directives and
// nulls.
Json without_directives(const Json& patch) {
    if (patch.is_array()) {
        Json list = Json::array();
        for (const Json& entry : patch)
            if (!member(entry, "$patch").is_string()) list.push_back(without_directives(entry));
        return list;
    }
    if (!patch.is_object()) return patch;
    Json clean = Json::object();
    for (const auto& [name, value] : patch.items())
        if (!is_directive(name) && !value.is_null()) clean[name] = without_directives(value);
    return clean;
}

// What tells the entries of a list apart: the value of the merge key, or the value itself.
const Json& identity(const Json& entry, const ListRule& rule) {
    return rule.merge == ListMerge::by_key ? member(entry, rule.keys.front()) : entry;
}

std::size_t index_of(const Json& list, const Json& entry, const ListRule& rule) {
    for (std::size_t i = 0; i < list.size(); ++i)
        if (identity(list[i], rule) == identity(entry, rule)) return i;
    return list.size();
}

// The real server's order: entries that `order` names come in that order, the others as they were
// in `live`; where the two meet, a live entry goes first only if it was before the named one in
// `live`. So new entries come in front.
Json ordered(const Json& merged, const Json& order, const Json& live, const ListRule& rule) {
    std::vector<const Json*> named, others;
    for (const Json& entry : merged)
        (index_of(order, entry, rule) < order.size() ? named : others).push_back(&entry);
    const auto sort_by = [&](std::vector<const Json*>& entries, const Json& by) {
        std::stable_sort(entries.begin(), entries.end(), [&](const Json* a, const Json* b) {
            return index_of(by, *a, rule) < index_of(by, *b, rule);
        });
    };
    sort_by(named, order);
    sort_by(others, live);
    Json list = Json::array();
    std::size_t i = 0, j = 0;
    while (i < others.size() || j < named.size()) {
        bool other_first = j == named.size();
        if (i < others.size() && j < named.size()) {
            const std::size_t left = index_of(live, *others[i], rule),
                              right = index_of(live, *named[j], rule);
            other_first = right < live.size() && left < right;
        }
        list.push_back(other_first ? *others[i++] : *named[j++]);
    }
    return list;
}

// As Go prints maps and lists in its errors.
std::string go_text(const Json& value) {
    if (value.is_null()) return "<nil>";
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_structured()) return dump_json(value);
    std::string text;
    for (const auto& [name, part] : value.items())
        text += (text.empty() ? "" : " ") + (value.is_object() ? name + ":" : "") + go_text(part);
    return (value.is_object() ? "map[" : "[") + text + "]";
}

// These are Go errors without a status: the real server answers 500.
Error go_error(const std::string& text) { return {Reason::internal, text}; }

Error unknown_patch_type(const std::string& directive, const Json& patch) {
    return go_error("unknown patch type: " + directive + " in map: " + go_text(patch));
}

struct Merger {
    std::optional<Error> error;

    Json merge_object(Json target, const Json& patch, const Place& place);
    Json merge_list(const Json& target, const Json& patch, const Place& place);

private:
    Json merge_maps(Json original, const Json& patch, const Place& place);
    void merge_member(Json& target, const std::string& name, const Json& value, const Place& place);
    void merge_ordered(Json& target, const std::string& name, const Json& order, const Json& patch,
                       const Place& place);
    void retain_keys(Json& target, const Json& patch);
    Json failed(Error problem, Json result = nullptr) {
        if (!error) error = std::move(problem);
        return result;
    }
};

void Merger::retain_keys(Json& target, const Json& patch) {
    const Json& keys = member(patch, "$retainKeys");
    if (!keys.is_array()) return;
    const auto kept = [&](const std::string& name) {
        return std::find(keys.begin(), keys.end(), Json(name)) != keys.end();
    };
    for (const auto& [name, value] : patch.items())
        if (!is_directive(name) && !value.is_null() && !kept(name))
            return static_cast<void>(failed(go_error("invalid patch format of retainKeys")));
    for (auto at = target.begin(); at != target.end();)
        at = kept(at.key()) ? std::next(at) : target.erase(at);
}

Json Merger::merge_object(Json target, const Json& patch, const Place& place) {
    if (const Json& directive = member(patch, "$patch"); !directive.is_null()) {
        if (directive == "replace") return without_directives(patch);
        if (directive == "delete") return Json::object();
        return failed(unknown_patch_type(string_at(patch, "$patch", "?"), patch));
    }
    if (!target.is_object()) target = Json::object();
    retain_keys(target, patch);
    for (const auto& [name, value] : patch.items())
        if (name.starts_with(order_prefix))
            merge_ordered(target, name.substr(order_prefix.size()), value, patch, place);
    for (const auto& [name, value] : patch.items()) {
        if (name.starts_with(delete_prefix)) {
            const std::string list = name.substr(delete_prefix.size());
            if (!member(target, list).is_array() || !value.is_array()) continue;
            for (const Json& gone : value) std::erase(target[list].get_ref<Json::array_t&>(), gone);
        } else if (!is_directive(name) && !patch.contains(std::string(order_prefix) + name)) {
            merge_member(target, name, value, place.member(name));
        }
    }
    return target;
}

void Merger::merge_member(Json& target, const std::string& name, const Json& value,
                          const Place& place) {
    if (value.is_null()) {
        target.erase(name);
        return;
    }
    Json& live = target[name];
    if (value.is_object() && live.is_object()) live = merge_object(std::move(live), value, place);
    else if (value.is_array() && live.is_array()) live = merge_list(live, value, place);
    else live = without_directives(value);
}

void Merger::merge_ordered(Json& target, const std::string& name, const Json& order,
                           const Json& patch, const Place& place) {
    const Place list = place.member(name);
    const ListRule rule = list.strategic();
    const Json live = member(target, name), wanted = member(patch, name);
    if (!order.is_array() || (!live.is_array() && !wanted.is_array())) return;
    Json merged = live;
    if (wanted.is_array())
        merged = live.is_array() ? merge_list(live, wanted, list) : without_directives(wanted);
    target[name] = ordered(merged, order, live.is_array() ? live : Json::array(), rule);
}

Json Merger::merge_list(const Json& target, const Json& patch, const Place& place) {
    const ListRule rule = place.strategic();
    if (rule.merge == ListMerge::atomic) return without_directives(patch);
    if (rule.merge == ListMerge::by_key) return merge_maps(target, patch, place);
    Json merged = target;
    for (const Json& value : patch)
        if (index_of(merged, value, rule) == merged.size()) merged.push_back(value);
    return ordered(merged, patch, target, rule);
}

Json Merger::merge_maps(Json original, const Json& patch, const Place& place) {
    const ListRule rule = place.strategic();
    const std::string name(rule.keys.front());
    Json entries = Json::array();
    bool replace = false;
    for (const Json& entry : patch) {
        const Json& directive = member(entry, "$patch");
        replace |= directive == "replace";
        const bool keyed = !member(entry, name).is_null();
        if (!keyed && directive != "replace")
            return failed(go_error("map: " + go_text(entry) +
                                   " does not contain declared merge key: " + name),
                          original);
        if (directive.is_null()) entries.push_back(entry);
        else if (directive == "delete")
            std::erase_if(original.get_ref<Json::array_t&>(), [&](const Json& e) {
                return identity(e, rule) == identity(entry, rule);
            });
        else if (directive != "replace")
            return failed(unknown_patch_type(string_at(entry, "$patch", "?"), entry), original);
    }
    if (replace) return without_directives(entries);
    Json merged = original;
    for (const Json& entry : entries) {
        const std::size_t known = index_of(merged, entry, rule);
        if (known < merged.size())
            merged[known] = merge_object(merged[known], entry, place.entry());
        else merged.push_back(without_directives(entry));
    }
    return ordered(merged, entries, original, rule);
}

Result<Json> merge_at(const Place& place, const Json& target, const Json& patch) {
    if (!patch.is_object()) return Error{Reason::bad_request, "invalid JSON document"};
    Merger merger;
    Json merged = merger.merge_object(target, patch, place);
    if (merger.error) return *merger.error;
    return merged;
}

}  // namespace

Result<Json> strategic_merge_patch(std::string_view api_version, std::string_view kind,
                                   const Json& target, const Json& patch) {
    return merge_at(Place::of(api_version, kind), target, patch);
}

Result<Json> strategic_merge_type(std::string_view type_name, const Json& target,
                                  const Json& patch) {
    return merge_at(Place::of_type(type_name), target, patch);
}

}  // namespace shed
