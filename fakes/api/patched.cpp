// What a patch makes of an object, and the server's complaints when it makes something that cannot
// be read.
#include "fakes/api/internal.hpp"
#include "fakes/types/types.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view patch_types =
    "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml";

// A decoded strategic patch is quoted as fmt prints maps.
std::string go_value(const Json& value) {
    if (value.is_null()) return "<nil>";
    if (value.is_string()) return value.get<std::string>();
    if (!value.is_structured()) return dump_json(value);
    std::string text = value.is_array() ? "[" : "map[";
    bool first = true;
    for (const auto& [name, part] : value.items()) {
        text += (first ? "" : " ") + (value.is_array() ? "" : name + ":") + go_value(part);
        first = false;
    }
    return text + "]";
}

Error unreadable(const Request& request, const Json& patched, const std::string& why) {
    const bool strategic =
        media_type_of(request.content_type) == "application/strategic-merge-patch+json";
    const auto patch = parse_json(request.body);
    const std::string shown = strategic && patch ? go_value(*patch) : dump_json(patched);
    const std::string message = "Invalid value: " + dump_json(Json(shown)) + ": " + why;
    const Json cause = {{"reason", "FieldValueInvalid"}, {"message", message}, {"field", "patch"}};
    return {Reason::invalid, " \"\" is invalid: patch: " + message,
            dump_json({{"causes", Json::array({cause})}})};
}

}  // namespace

Result<Json> patched(const Request& request, const Kind& kind, const Json& live,
                     const Json& patch) {
    const std::string type = media_type_of(request.content_type);
    if (type == "application/json-patch+json") {
        if (!patch.is_array())
            return bad_request(
                "error decoding patch: json: cannot unmarshal object into Go value of type "
                "[]handlers.jsonPatchOp");
        return json_patch(live, patch);
    }
    if (!patch.is_object())
        return bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type "
            "map[string]interface {}");
    if (type == "application/merge-patch+json") return merge_patch(live, patch);
    if (type == "application/strategic-merge-patch+json" && !kind.custom)
        return strategic_merge_patch(kind.api_version(), kind.kind, live, patch);
    if (kind.custom) return unsupported_media_type(std::string(patch_types));
    return Error{Reason::unsupported_media_type, "415: Unsupported Media Type", "{}"};
}

Result<void> check_patched(const Request& request, const Kind& kind, const Json& patched) {
    if (const std::string problem = decode_problem(kind, patched); !problem.empty())
        return unreadable(request, patched, problem);
    if (request.parameter("fieldValidation") != "Strict") return {};
    std::string unknown;
    for (const std::string& path : unknown_fields(kind, patched))
        unknown += (unknown.empty() ? "unknown field \"" : ", unknown field \"") + path + "\"";
    if (unknown.empty()) return {};
    return unreadable(request, patched, "strict decoding error: " + unknown);
}

}  // namespace shed
