#include "fakes/admission/internal.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed::admission {

std::string joined_path(const std::string& path, std::string_view name) {
    return path.empty() ? std::string(name) : path + "." + std::string(name);
}

std::string item_path(const std::string& path, std::size_t index) {
    return path + "[" + std::to_string(index) + "]";
}

std::string key_path(const std::string& path, std::string_view key) {
    return path + "[" + std::string(key) + "]";
}

std::string json_quoted(std::string_view text) { return dump_json(Json(text)); }

FieldError invalid_value(std::string field, const Json& shown, std::string_view why) {
    return invalid_text(std::move(field), shown.is_structured() ? go_json(shown) : dump_json(shown), why);
}

FieldError invalid_text(std::string field, std::string_view shown, std::string_view why) {
    return {"FieldValueInvalid", std::move(field),
            "Invalid value: " + std::string(shown) + ": " + std::string(why)};
}

FieldError required(std::string field, std::string_view why) {
    return {"FieldValueRequired", std::move(field),
            "Required value" + (why.empty() ? "" : ": " + std::string(why))};
}

FieldError forbidden(std::string field, std::string_view why) {
    return {"FieldValueForbidden", std::move(field), "Forbidden: " + std::string(why)};
}

FieldError not_supported(std::string field, const Json& shown, const std::vector<std::string_view>& allowed) {
    std::string names;
    for (std::string_view each : allowed) names += (names.empty() ? "" : ", ") + json_quoted(each);
    return {"FieldValueNotSupported", std::move(field),
            "Unsupported value: " + dump_json(shown) + ": supported values: " + names};
}

FieldError duplicate(std::string field, const Json& shown) {
    return {"FieldValueDuplicate", std::move(field), "Duplicate value: " + dump_json(shown)};
}

FieldError internal_error(std::string why) {
    return {"InternalError", "<nil>", "Internal error: " + std::move(why)};
}

FieldError rules_skipped() {
    return {"FieldValueInvalid", "<nil>",
            "Invalid value: null: some validation rules were not checked because the object was "
            "invalid; correct the existing errors to complete validation"};
}

std::string aggregate(const std::vector<std::string>& texts) {
    std::vector<std::string> once;
    for (const std::string& text : texts)
        if (std::find(once.begin(), once.end(), text) == once.end()) once.push_back(text);
    if (once.size() == 1) return once[0];
    std::string all;
    for (const std::string& text : once) all += (all.empty() ? "[" : ", ") + text;
    return all + "]";
}

std::string text_of(const FieldError& error) { return error.field + ": " + error.message; }

const Json& list_of(const Json& object, std::string_view dotted) {
    static const Json empty = Json::array();
    const Json& found = at_path(object, dotted);
    return found.is_array() ? found : empty;
}

void for_each_at(Json& object, std::string_view dotted, const std::function<void(Json&)>& visit) {
    if (dotted.empty()) return visit(object);
    const auto dot = dotted.find('.');
    std::string_view name = dotted.substr(0, dot);
    const std::string_view rest = dot == std::string_view::npos ? "" : dotted.substr(dot + 1);
    const bool through = name.ends_with("[*]");
    if (through) name.remove_suffix(3);
    const auto found = object.find(std::string(name));
    if (found == object.end()) return;
    if (!through) {
        if (found->is_object()) for_each_at(*found, rest, visit);
        return;
    }
    if (!found->is_array()) return;
    for (Json& item : *found)
        if (item.is_object()) for_each_at(item, rest, visit);
}

}  // namespace shed::admission
