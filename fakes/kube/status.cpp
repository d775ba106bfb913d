// Error <-> metav1.Status.
#include "fakes/kube/kube.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

struct ReasonRow {
    Reason reason;
    int code;
    std::string_view name;
};
constexpr ReasonRow reasons[] = {
    {Reason::bad_request, 400, "BadRequest"},
    {Reason::unauthorized, 401, "Unauthorized"},
    {Reason::forbidden, 403, "Forbidden"},
    {Reason::not_found, 404, "NotFound"},
    {Reason::method_not_allowed, 405, "MethodNotAllowed"},
    {Reason::not_acceptable, 406, "NotAcceptable"},
    {Reason::already_exists, 409, "AlreadyExists"},
    {Reason::conflict, 409, "Conflict"},
    {Reason::expired, 410, "Expired"},
    {Reason::request_too_large, 413, "RequestEntityTooLarge"},
    {Reason::unsupported_media_type, 415, "UnsupportedMediaType"},
    {Reason::invalid, 422, "Invalid"},
    {Reason::too_many_requests, 429, "TooManyRequests"},
    {Reason::internal, 500, "InternalError"},
    {Reason::unavailable, 503, "ServiceUnavailable"},
    {Reason::timeout, 504, "Timeout"},
    {Reason::environment, 500, "InternalError"},
};

Json details_of(const Kind& kind, std::string_view name, std::string_view kind_text) {
    Json details = {{"name", name}, {"kind", kind_text}};
    if (!kind.group.empty()) details["group"] = kind.group;
    return details;
}

Error about(Reason reason, const Kind& kind, std::string_view name, std::string message) {
    return {reason, std::move(message), dump_json(details_of(kind, name, kind.plural))};
}

std::string quoted(const Kind& kind, std::string_view name) {
    return kind.group_resource() + " \"" + std::string(name) + "\"";
}

}  // namespace

int http_code(Reason reason) {
    for (const ReasonRow& row : reasons)
        if (row.reason == reason) return row.code;
    return 500;
}

std::string_view reason_name(Reason reason) {
    for (const ReasonRow& row : reasons)
        if (row.reason == reason) return row.name;
    return "InternalError";
}

Json status_of(const Error& error) {
    Json status = {{"kind", "Status"},
                   {"apiVersion", "v1"},
                   {"metadata", Json::object()},
                   {"status", "Failure"},
                   {"message", error.message},
                   {"reason", reason_name(error.reason)},
                   {"code", http_code(error.reason)}};
    if (!error.details.empty()) {
        auto details = parse_json(error.details);
        if (details) status["details"] = std::move(*details);
    }
    return status;
}

Error error_of(int http_status, const Json& status) {
    const std::string name = string_at(status, "reason");
    Error error{Reason::internal, string_at(status, "message")};
    bool named = false;
    for (const ReasonRow& row : reasons) {
        if (row.name != name) continue;
        error.reason = row.reason;
        named = true;
        break;
    }
    for (const ReasonRow& row : reasons) {
        if (named || row.code != http_status) continue;
        error.reason = row.reason;
        break;
    }
    if (error.message.empty()) error.message = "HTTP status " + std::to_string(http_status);
    if (const Json& details = member(status, "details"); details.is_object())
        error.details = dump_json(details);
    return error;
}

Error not_found(const Kind& kind, std::string_view name) {
    return about(Reason::not_found, kind, name, quoted(kind, name) + " not found");
}

Error already_exists(const Kind& kind, std::string_view name) {
    return about(Reason::already_exists, kind, name, quoted(kind, name) + " already exists");
}

Error conflict(const Kind& kind, std::string_view name) {
    return about(Reason::conflict, kind, name,
                 "Operation cannot be fulfilled on " + quoted(kind, name) +
                     ": the object has been modified; please apply your changes to the latest "
                     "version and try again");
}

Error invalid(const Kind& kind, std::string_view name, const std::vector<FieldError>& errors) {
    std::string text;
    Json causes = Json::array();
    for (const FieldError& e : errors) {
        if (!text.empty()) text += ", ";
        text += e.field.empty() ? e.message : e.field + ": " + e.message;
        Json cause = {{"reason", e.reason}, {"message", e.message}};
        if (!e.field.empty()) cause["field"] = e.field;
        causes.push_back(std::move(cause));
    }
    if (errors.size() > 1) text = "[" + text + "]";
    Json details = details_of(kind, name, kind.kind);
    details["causes"] = std::move(causes);
    return {Reason::invalid,
            kind.group_kind() + " \"" + std::string(name) + "\" is invalid: " + text,
            dump_json(details)};
}

}  // namespace shed
