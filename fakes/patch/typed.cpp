// The complaints of sigs.k8s.io/structured-merge-diff about values that do not fit the schema. It
// prints them as Go does.
#include "fakes/patch/typed.hpp"

#include "fakes/patch/merge_keys.hpp"

#include <nlohmann/json.hpp>
#include <set>

namespace shed {

namespace {

// As %v prints a value.
std::string plain_value(const Json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_structured()) return dump_json(value);
    std::string text;
    for (const auto& [name, part] : value.items())
        text +=
            (text.empty() ? "" : " ") + (value.is_object() ? name + ":" : "") + plain_value(part);
    return (value.is_object() ? "map[" : "[") + text + "]";
}

std::string go_type_name(const Json& value) {
    if (value.is_string()) return "string";
    if (value.is_boolean()) return "bool";
    if (value.is_array()) return "[]interface {}";
    return value.is_object() ? "map[string]interface {}" : "int64";
}

std::string wrong_value(const Json& value, Expected expected) {
    const std::string got = "got &{" + plain_value(value) + "}";
    switch (expected) {
        case Expected::map:
            return value.is_object() ? "" : "expected map, " + got;
        case Expected::list:
            return value.is_array() ? "" : "expected list, " + got;
        case Expected::boolean:
            return value.is_boolean() ? "" : "expected boolean, " + got;
        case Expected::scalar:
            return value.is_primitive() ? "" : "expected any scalar, " + got;
        case Expected::number:
            return value.is_number()
                       ? ""
                       : "expected numeric (int or float), got " + go_type_name(value);
        case Expected::string:
            return value.is_string() ? ""
                                     : "expected string, got &value.valueUnstructured{Value:" +
                                           plain_value(value) + "}";
        default:
            return "";
    }
}

class Walk {
public:
    std::vector<std::string> problems;

    void value(const Json& given, const Place& place, const std::string& path) {
        if (given.is_null()) return;
        if (const std::string wrong = wrong_value(given, place.expected()); !wrong.empty())
            return complain(path, wrong);
        if (given.is_object() && place.expected() == Expected::map) members(given, place, path);
        if (given.is_array() && place.expected() == Expected::list) entries(given, place, path);
    }

private:
    void complain(const std::string& path, const std::string& why) {
        problems.push_back(path.empty() ? why : path + ": " + why);
    }

    void members(const Json& object, const Place& place, const std::string& path) {
        for (const auto& [name, part] : object.items()) {
            const std::string below = path + "." + name;
            if (place.declares(name)) value(part, place.member(name), below);
            else complain(below, "field not declared in schema");
        }
    }

    void entries(const Json& list, const Place& place, const std::string& path) {
        const ListMerge merge = place.applied().merge;
        const Place inside = place.entry();
        std::set<std::string> seen;
        for (std::size_t i = 0; i < list.size(); ++i) {
            std::string step = "[" + std::to_string(i) + "]";
            if (merge == ListMerge::by_key) step = key_text(place.key_of(list[i]));
            if (merge == ListMerge::set) step = "[=" + dump_json(list[i]) + "]";
            if (!seen.insert(step).second) complain(path, "duplicate entries for key " + step);
            // Entries of scalars have no place of their own.
            if (list[i].is_structured()) value(list[i], inside, path + step);
        }
    }

    static std::string key_text(const Json& key) {
        std::string text;
        for (const auto& [name, part] : key.items())
            text += (text.empty() ? "" : ",") + name + "=" + dump_json(part);
        return "[" + text + "]";
    }
};

std::string group_version_kind(const Kind& kind) {
    return std::string(kind.group) + "/" + std::string(kind.version) +
           ", Kind=" + std::string(kind.kind);
}

}  // namespace

std::string typed_problem(const Kind& kind, const Json& applied) {
    Walk walk;
    walk.value(applied, Place::of(kind.api_version(), kind.kind), "");
    if (walk.problems.empty()) return "";
    std::string text =
        "failed to create typed patch object (" + string_at(applied, "metadata.namespace") + "/" +
        string_at(applied, "metadata.name") + "; " + group_version_kind(kind) + "): ";
    if (walk.problems.size() == 1) return text + walk.problems[0];
    text += "errors:";
    for (const std::string& problem : walk.problems) text += "\n  " + problem;
    return text;
}

}  // namespace shed
