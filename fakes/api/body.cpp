// From the bytes of a request to a JSON object, with the real server's complaints.
#include "fakes/api/internal.hpp"
#include "fakes/base/text.hpp"
#include "fakes/types/types.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view protobuf_magic("k8s\0", 4);
constexpr std::string_view header_type =
    "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind string "
    "\"json:\\\"kind,omitempty\\\"\" }";

std::string go_type(const Json& value) {
    if (value.is_array()) return "array";
    if (value.is_string()) return "string";
    if (value.is_boolean()) return "bool";
    return "number";
}

Error unrecognized(const Kind& kind, const std::string& problem, std::string_view body) {
    return bad_request("the object provided is unrecognized (must be of type " +
                       std::string(kind.kind) + "): " + problem + " (" + summarize(body) + ")");
}

Error not_json(const Kind& kind, const std::string& problem, std::string_view body) {
    return unrecognized(kind, "couldn't get version/kind; json parse error: " + problem, body);
}

// Whether the text is valid UTF-8; nlohmann refuses to parse it otherwise, with a less helpful text.
Result<Body> decode_json_body(const Request& request) {
    auto value = parse_json(request.body);
    JsonScan scan;
    const std::string_view mode = request.parameter("fieldValidation");
    if (!value || mode != "Ignore") scan = scan_json(request.body);
    if (!value) {
        const std::string problem = scan.error.empty() ? value.error().message : scan.error;
        return not_json(*request.kind, problem, request.body);
    }
    return Body{std::move(*value), std::move(scan.duplicates)};
}

// Of a version that nobody knows only the metadata is known.
void warn_of_members(const Request& request, const Json& object, std::vector<std::string>& warnings) {
    const std::string_view mode = request.parameter("fieldValidation");
    if (!mode.empty() && mode != "Warn") return;
    for (const auto& [name, value] : object.items())
        if (name != "apiVersion" && name != "kind" && name != "metadata")
            warnings.push_back("unknown field \"" + name + "\"");
}

// Built-in kinds may leave out apiVersion and kind: the URL says them.
Result<void> check_type(const Request& request, Json& object, std::vector<std::string>& warnings) {
    const Kind& kind = *request.kind;
    const bool review_body = !request.subresource.empty();
    if (!object.is_object())
        return not_json(kind,
                        "json: cannot unmarshal " + go_type(object) + " into Go value of type " +
                            std::string(header_type),
                        request.body);
    const std::string sent_kind = string_at(object, "kind");
    const std::string sent_version = string_at(object, "apiVersion");
    if (review_body) return {};
    if (kind.custom) {
        if (sent_kind.empty())
            return unrecognized(kind, "Object 'Kind' is missing in '" + request.body + "'",
                                request.body);
        if (sent_version != kind.api_version()) {
            warn_of_members(request, object, warnings);
            return bad_request("the API version in the data (" + sent_version +
                               ") does not match the expected API version (" + kind.api_version() +
                               ")");
        }
        if (sent_kind != kind.kind) {
            Kind other = kind;
            other.kind = sent_kind;
            return invalid(other, string_at(object, "metadata.name"),
                           {{"FieldValueInvalid", "kind",
                             "Invalid value: \"" + sent_kind + "\": must be " +
                                 std::string(kind.kind)}});
        }
        return {};
    }
    const bool matches = (sent_kind.empty() || sent_kind == kind.kind) &&
                         (sent_version.empty() || sent_version == kind.api_version());
    if (!matches) {
        const auto slash = sent_version.find('/');
        const std::string version =
            slash == std::string::npos ? sent_version : sent_version.substr(slash + 1);
        return bad_request(sent_kind + " in version \"" + version + "\" cannot be handled as a " +
                           std::string(kind.kind) + ": converting to the expected type failed");
    }
    object["kind"] = kind.kind;
    object["apiVersion"] = kind.api_version();
    return {};
}

}  // namespace

std::string summarize(std::string_view body) {
    constexpr std::size_t shown_max = 30;
    if (body.empty()) return "<empty>";
    const std::string_view shown = body.substr(0, shown_max);
    std::string text;
    if (body.front() == '{') {
        text = shown;
    } else {
        static constexpr char hex[] = "0123456789abcdef";
        for (unsigned char c : shown) {
            text.push_back(hex[c >> 4]);
            text.push_back(hex[c & 15]);
        }
    }
    return body.size() > shown_max ? text + " ..." : text;
}

Result<Body> decode_body(const Request& request, std::vector<std::string>& warnings) {
    const std::string type = media_type_of(request.content_type);
    Result<Body> body = Body{};
    if (request.body.starts_with(protobuf_magic)) {
        auto decoded = decode_protobuf(request.body);
        if (!decoded) return decoded.error();
        body = Body{std::move(*decoded), {}};
    } else if (type.empty() || type == "application/json") {
        body = decode_json_body(request);
    } else if (type == "application/yaml") {
        auto decoded = parse_yaml(request.body);
        if (!decoded) return not_json(*request.kind, decoded.error().message, request.body);
        body = Body{std::move(*decoded), {}};
    } else {
        return unsupported_media_type(
            "application/json, application/yaml, application/vnd.kubernetes.protobuf");
    }
    if (!body) return body.error();
    if (auto checked = check_type(request, body->value, warnings); !checked) return checked.error();
    return body;
}

Result<Json> decode_options(const Request& request) {
    Json options;
    if (!request.body.empty()) {
        const bool protobuf = request.body.starts_with(protobuf_magic);
        auto decoded = protobuf ? decode_protobuf(request.body)
                       : media_type_of(request.content_type) == "application/yaml"
                           ? parse_yaml(request.body)
                           : parse_json(request.body);
        if (!decoded) {
            const JsonScan scan = protobuf ? JsonScan{} : scan_json(request.body);
            return scan.error.empty() ? decoded.error()
                                      : bad_request("couldn't get version/kind; json parse error: " +
                                                    scan.error);
        }
        options = std::move(*decoded);
        const std::string kind = string_at(options, "kind", "DeleteOptions");
        if (kind != "DeleteOptions")
            return bad_request("no kind \"" + kind + "\" is registered for version \"" +
                               string_at(options, "apiVersion") +
                               "\" in scheme \"pkg/runtime/scheme.go:111\"");
    }
    if (!options.is_object()) options = Json::object();
    // The query fills in what the body does not say.
    const auto grace = integer_parameter(request, "gracePeriodSeconds");
    if (!grace) return grace.error();
    if (*grace && !options.contains("gracePeriodSeconds")) options["gracePeriodSeconds"] = **grace;
    if (const auto policy = request.parameter("propagationPolicy");
        !policy.empty() && !options.contains("propagationPolicy"))
        options["propagationPolicy"] = policy;
    if (!request.parameter("orphanDependents").empty() && !options.contains("orphanDependents"))
        options["orphanDependents"] = request.flag("orphanDependents");
    if (const auto dry = request.parameter("dryRun"); !dry.empty() && !options.contains("dryRun"))
        options["dryRun"] = Json::array({dry});
    return options;
}

Result<void> report_problems(const Request& request, const Kind& kind,
                             const std::vector<std::string>& problems,
                             std::vector<std::string>* warnings) {
    const std::string_view mode = request.parameter("fieldValidation");
    if (problems.empty() || mode == "Ignore") return {};
    if (mode == "Strict")
        return bad_request(std::string(kind.kind) + " in version \"" + std::string(kind.version) +
                           "\" cannot be handled as a " + std::string(kind.kind) +
                           ": strict decoding error: " + joined(problems, ", "));
    if (warnings != nullptr) warnings->insert(warnings->end(), problems.begin(), problems.end());
    return {};
}

Result<void> validate_fields(const Request& request, const Kind& kind, Json& object,
                             std::vector<std::string>* warnings) {
    const auto unknown = unknown_fields(kind, object);
    if (unknown.empty()) return {};
    prune_unknown(kind, object);
    std::vector<std::string> problems;
    for (const std::string& path : unknown) problems.push_back("unknown field \"" + path + "\"");
    return report_problems(request, kind, problems, warnings);
}

}  // namespace shed
