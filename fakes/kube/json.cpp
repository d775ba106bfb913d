// Reading JSON without throwing, with the limits of the real server.
#include "fakes/kube/kube.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

const Json null_value;
constexpr int depth_max = 10'000;  // as the real server; nlohmann's dump() overflows the stack far beyond it

// Refuses what nesting would make dangerous before a DOM exists. Strings are skipped; other errors are the parser's.
bool too_deep(std::string_view text) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            else if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > depth_max) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}

}  // namespace

const Json& member(const Json& object, std::string_view name) {
    if (!object.is_object()) return null_value;
    const auto found = object.find(name);
    return found == object.end() ? null_value : *found;
}

const Json& at_path(const Json& object, std::string_view dotted) {
    const Json* here = &object;
    while (!dotted.empty()) {
        const auto dot = dotted.find('.');
        here = &member(*here, dotted.substr(0, dot));
        if (dot == std::string_view::npos) break;
        dotted.remove_prefix(dot + 1);
    }
    return *here;
}

std::string string_at(const Json& object, std::string_view dotted, std::string_view otherwise) {
    const Json& value = at_path(object, dotted);
    return value.is_string() ? value.get<std::string>() : std::string(otherwise);
}

std::int64_t int_at(const Json& object, std::string_view dotted, std::int64_t otherwise) {
    const Json& value = at_path(object, dotted);
    return value.is_number_integer() ? value.get<std::int64_t>() : otherwise;
}

bool bool_at(const Json& object, std::string_view dotted, bool otherwise) {
    const Json& value = at_path(object, dotted);
    return value.is_boolean() ? value.get<bool>() : otherwise;
}

const Json& condition_of(const Json& object, std::string_view type) {
    const Json& conditions = at_path(object, "status.conditions");
    if (!conditions.is_array()) return null_value;
    for (const Json& condition : conditions)
        if (string_at(condition, "type") == type) return condition;
    return null_value;
}

bool condition_true(const Json& object, std::string_view type) {
    return string_at(condition_of(object, type), "status") == "True";
}

Result<Json> parse_json(std::string_view text) {
    if (too_deep(text)) return Error{Reason::bad_request, "exceeded max depth"};
    try {
        return Json::parse(text);
    } catch (const Json::exception& e) {
        return Error{Reason::bad_request, e.what()};
    }
}

std::string dump_json(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace shed
