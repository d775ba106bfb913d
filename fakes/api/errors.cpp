// The error answers of the real server, in its words.
#include "fakes/api/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::string_view no_page = "404 page not found";
constexpr std::string_view no_details = "null";  // marks an error that has no reason either

}  // namespace

Error bad_request(std::string message) { return {Reason::bad_request, std::move(message)}; }

Error page_not_found() { return {Reason::not_found, std::string(no_page)}; }

Error resource_not_found() {
    return {Reason::not_found, "the server could not find the requested resource", "{}"};
}

Error method_not_allowed() {
    return {Reason::method_not_allowed,
            "the server does not allow this method on the requested resource", "{}"};
}

Error plain_internal(std::string message) {
    return {Reason::internal, std::move(message), std::string(no_details)};
}

Error unsupported_media_type(std::string accepted) {
    return {Reason::unsupported_media_type,
            "the body of the request was in an unknown format - accepted media types include: " +
                accepted};
}

Error options_invalid(std::string_view options_kind, FieldError error) {
    const Json cause = {
        {"reason", error.reason}, {"message", error.message}, {"field", error.field}};
    const Json details = {{"group", "meta.k8s.io"},
                          {"kind", options_kind},
                          {"causes", Json::array({cause})}};
    return {Reason::invalid,
            std::string(options_kind) + ".meta.k8s.io \"\" is invalid: " + error.field + ": " +
                error.message,
            dump_json(details)};
}

Error invalid_twice(const Kind& kind, std::string_view name, FieldError error) {
    Error once = invalid(kind, name, {error});
    auto details = parse_json(once.details);
    if (!details) return once;
    Json& causes = (*details)["causes"];
    const Json again = causes[0];
    causes.push_back(again);
    once.details = dump_json(*details);
    return once;
}

Error version_required(const Kind& kind, std::string_view name) {
    const std::string text = "Invalid value: 0: must be specified for an update";
    Error error =
        invalid(kind, name, {{"FieldValueInvalid", "metadata.resourceVersion", text}});
    auto details = parse_json(error.details);
    if (!details) return error;
    (*details)["kind"] = kind.plural;
    error.details = dump_json(*details);
    error.message = kind.group_resource() + " \"" + std::string(name) +
                    "\" is invalid: metadata.resourceVersion: " + text;
    return error;
}

Error version_too_large(ResourceVersion asked, ResourceVersion current) {
    const Json cause = {{"reason", "ResourceVersionTooLarge"},
                        {"message", "Too large resource version"}};
    const Json details = {{"causes", Json::array({cause})}, {"retryAfterSeconds", 1}};
    return {Reason::timeout,
            "Timeout: Too large resource version: " + std::to_string(asked) +
                ", current: " + std::to_string(current),
            dump_json(details)};
}

Response response_of(const Error& error) {
    Response response;
    response.status = http_code(error.reason);
    if (error.reason == Reason::not_found && error.message == no_page) {
        response.content_type = "text/plain; charset=utf-8";
        response.body = error.message + "\n";
        return response;
    }
    Json status = status_of(error);
    if (error.details == no_details) {
        status.erase("reason");
        status.erase("details");
    }
    if (const Json& name = at_path(status, "details.name"); name == Json(""))
        status["details"].erase("name");
    response.body = dump_json(status) + "\n";
    const std::int64_t seconds = int_at(status, "details.retryAfterSeconds");
    if (seconds > 0) response.headers.emplace_back("Retry-After", std::to_string(seconds));
    return response;
}

}  // namespace shed
