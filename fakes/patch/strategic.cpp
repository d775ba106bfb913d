// Strategic merge: objects merge by member, lists by merge key, with $patch, $retainKeys, $setElementOrder and
// $deleteFromPrimitiveList (k8s.io/apimachinery/pkg/util/strategicpatch).
#include "fakes/patch/merge_keys.hpp"
#include "fakes/patch/patch.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view order_prefix = "$setElementOrder/", delete_prefix = "$deleteFromPrimitiveList/";

struct Merger {
    std::optional<Error> error;

    Json merge_object(Json target, const Json& patch, std::string_view name);
    Json merge_list(const Json& target, const Json& patch, const ListRule& rule, std::string_view name);
    void order_list(Json& list, const Json& order, const ListRule& rule) const;
};

Json* find_entry(Json& list, std::string_view key, const Json& value) {
    for (Json& entry : list)
        if (member(entry, key) == value) return &entry;
    return nullptr;
}

bool is_directive(const std::string& name) { return name.starts_with('$'); }

void retain_keys(Json& target, const Json& keys) {
    if (!keys.is_array() || !target.is_object()) return;
    for (auto at = target.begin(); at != target.end();) {
        const bool kept = std::find(keys.begin(), keys.end(), Json(at.key())) != keys.end();
        if (kept) ++at;
        else at = target.erase(at);
    }
}

// What a patch value means where there is nothing to merge with: itself, without directives and nulls.
Json without_directives(const Json& patch) {
    if (patch.is_array()) {
        Json list = Json::array();
        for (const Json& entry : patch)
            if (string_at(entry, "$patch") != "delete" && string_at(entry, "$patch") != "replace")
                list.push_back(without_directives(entry));
        return list;
    }
    if (!patch.is_object()) return patch;
    Json clean = Json::object();
    for (const auto& [name, value] : patch.items())
        if (!is_directive(name) && !value.is_null()) clean[name] = without_directives(value);
    return clean;
}

Json Merger::merge_object(Json target, const Json& patch, std::string_view parent) {
    const std::string directive = string_at(patch, "$patch");
    if (directive == "replace") return without_directives(patch);
    if (directive == "delete") return Json();
    if (!target.is_object()) target = Json::object();
    retain_keys(target, member(patch, "$retainKeys"));
    for (const auto& [name, value] : patch.items()) {
        if (name.starts_with(delete_prefix)) {
            Json& list = target[name.substr(delete_prefix.size())];
            for (const Json& gone : value) std::erase(list.get_ref<Json::array_t&>(), gone);
        }
        if (is_directive(name)) continue;
        if (value.is_null()) {
            target.erase(name);
        } else if (value.is_object()) {
            const Json before = member(target, name);
            Json merged = before.is_object() ? merge_object(before, value, name) : without_directives(value);
            if (merged.is_null()) target.erase(name);
            else target[name] = std::move(merged);
        } else if (value.is_array()) {
            const ListRule rule = list_rule(parent, name);
            target[name] = merge_list(member(target, name), value, rule, name);
        } else {
            target[name] = value;
        }
    }
    for (const auto& [name, value] : patch.items()) {
        if (!name.starts_with(order_prefix)) continue;
        const std::string list = name.substr(order_prefix.size());
        if (target.contains(list)) order_list(target[list], value, list_rule(parent, list));
    }
    return target;
}

Json Merger::merge_list(const Json& target, const Json& patch, const ListRule& rule, std::string_view name) {
    const bool replaces = std::any_of(patch.begin(), patch.end(), [](const Json& entry) {
        return string_at(entry, "$patch") == "replace" && entry.size() == 1;
    });
    if (rule.merge == ListMerge::atomic || replaces || !target.is_array()) return without_directives(patch);
    Json merged = target;
    if (rule.merge == ListMerge::set) {
        for (const Json& value : patch)
            if (std::find(merged.begin(), merged.end(), value) == merged.end()) merged.push_back(value);
        return merged;
    }
    for (const Json& entry : patch) {
        const Json& key = member(entry, rule.key);
        if (key.is_null()) {
            // A Go error without a status: the real server answers 500.
            error = Error{Reason::internal, "map: " + dump_json(entry) + " does not contain declared merge key: " +
                                                std::string(rule.key)};
            return target;
        }
        Json* known = find_entry(merged, rule.key, key);
        if (string_at(entry, "$patch") == "delete") {
            std::erase_if(merged.get_ref<Json::array_t&>(), [&](const Json& e) { return member(e, rule.key) == key; });
        } else if (known != nullptr) {
            *known = merge_object(*known, entry, name);
        } else {
            merged.push_back(without_directives(entry));
        }
    }
    return merged;
}

void Merger::order_list(Json& list, const Json& order, const ListRule& rule) const {
    if (!list.is_array() || !order.is_array()) return;
    const auto rank = [&](const Json& entry) {
        const Json& own = rule.merge == ListMerge::by_key ? member(entry, rule.key) : entry;
        for (std::size_t i = 0; i < order.size(); ++i)
            if ((rule.merge == ListMerge::by_key ? member(order[i], rule.key) : order[i]) == own) return i;
        return order.size();
    };
    // What the order does not name keeps its place behind the named ones.
    std::stable_sort(list.begin(), list.end(), [&](const Json& a, const Json& b) { return rank(a) < rank(b); });
}

}  // namespace

Result<Json> strategic_merge_patch(std::string_view, std::string_view, const Json& target, const Json& patch) {
    if (!patch.is_object()) return Error{Reason::bad_request, "invalid JSON document"};
    Merger merger;
    Json merged = merger.merge_object(target, patch, "");
    if (merger.error) return *merger.error;
    return merged;
}

Result<Json> strategic_merge_type(std::string_view, const Json& target, const Json& patch) {
    return strategic_merge_patch("", "", target, patch);
}

}  // namespace shed
