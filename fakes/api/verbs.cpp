// Api::answer: one request in, one response out.
#include "fakes/api/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

std::string quoted_warning(const std::string& text) {
    std::string quoted;
    for (char c : text) {
        if (c == '"' || c == '\\') quoted.push_back('\\');
        if (static_cast<unsigned char>(c) >= 0x20) quoted.push_back(c);
    }
    return "299 - \"" + quoted + "\"";
}

Response with_warnings(Response response, const std::vector<std::string>& warnings) {
    for (const std::string& text : warnings)
        response.headers.emplace_back("Warning", quoted_warning(text));
    return response;
}

Response json_response(int status, const Json& body) {
    Response response;
    response.status = status;
    response.body = dump_json(body) + "\n";
    return response;
}

std::string_view options_kind(Verb verb) {
    if (verb == Verb::create) return "CreateOptions";
    return verb == Verb::update ? "UpdateOptions" : "PatchOptions";
}

// dryRun and fieldValidation take few values.
Result<void> check_write_options(const Request& request) {
    const std::string dry(request.parameter("dryRun"));
    if (!dry.empty() && dry != "All")
        return options_invalid(options_kind(request.verb),
                               {"FieldValueNotSupported", "dryRun",
                                "Unsupported value: [\"" + dry + "\"]: supported values: \"All\""});
    const std::string mode(request.parameter("fieldValidation"));
    if (!mode.empty() && mode != "Ignore" && mode != "Warn" && mode != "Strict")
        return options_invalid(options_kind(request.verb),
                               {"FieldValueNotSupported", "fieldValidation",
                                "Unsupported value: \"" + mode +
                                    "\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\""});
    return {};
}

constexpr const char* endpoints_warning =
    "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice";
constexpr const char* orphan_warning =
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to "
    "remove them or set propagationPolicy=Orphan to suppress this warning";

bool orphans_by_default(const Kind& kind, const Json& options) {
    return kind.plural == "jobs" && string_at(options, "propagationPolicy").empty() &&
           !member(options, "orphanDependents").is_boolean();
}

Json deleted_status(const Kind& kind, const Object& object) {
    Json details = {{"name", object.name()}, {"kind", kind.plural}, {"uid", object.uid()}};
    if (!kind.group.empty()) details["group"] = kind.group;
    return {{"kind", "Status"},
            {"apiVersion", "v1"},
            {"metadata", Json::object()},
            {"status", "Success"},
            {"details", std::move(details)}};
}

Result<Json> patch_body(const Request& request) {
    const bool apply = media_type_of(request.content_type) == "application/apply-patch+yaml";
    if (apply) {
        auto parsed = request.body.starts_with('{') ? parse_json(request.body) : parse_yaml(request.body);
        if (!parsed) return bad_request("error decoding YAML: " + parsed.error().message);
        return parsed;
    }
    auto parsed = parse_json(request.body);
    if (parsed) return parsed;
    const JsonScan scan = scan_json(request.body);
    return bad_request("error decoding patch: " +
                       (scan.error.empty() ? parsed.error().message : scan.error));
}

std::string as_yaml(const std::string& json) {
    const auto parsed = parse_json(json);
    return parsed ? dump_yaml(*parsed) : json;
}

}  // namespace

Response Api::Impl::object_response(int status, const Request& request, const Form& form,
                                    const ObjectPtr& object, Time now) {
    Response response;
    response.status = status;
    if (form.as == Form::As::table) {
        const auto table = table_form(request, form);
        if (!table) return response_of(table.error());
        const std::string metadata =
            "{\"resourceVersion\":\"" + std::to_string(object->resource_version()) + "\"}";
        response.body = render_table(*request.kind, {object}, metadata, *table, true, now) + "\n";
    } else if (form.as == Form::As::partial) {
        response.body = partial_metadata(*object, form.table_beta) + "\n";
    } else {
        response.body = object->bytes() + "\n";
    }
    return response;
}

Response Api::Impl::answer_read(const Request& request, const Form& form, Time now) {
    if (request.verb == Verb::list) return list(request, form, now);
    if (request.subresource == "scale") {
        const auto scale = scale_of(request);
        return scale ? json_response(200, *scale) : response_of(scale.error());
    }
    const auto object = get(request);
    if (!object) return response_of(object.error());
    return object_response(200, request, form, *object, now);
}

Response Api::Impl::answer_scale(const Request& request, const Json& body, Time now) {
    std::vector<std::string> warnings;
    const auto scale = write_scale(request, body, now, &warnings);
    return with_warnings(scale ? json_response(200, *scale) : response_of(scale.error()), warnings);
}

Response Api::Impl::answer_patch(const Request& request, const Form& form, Time now) {
    const std::string type = media_type_of(request.content_type);
    const auto body = patch_body(request);
    // A body of a wrong media type need not be JSON, so the type is looked at first.
    if (!body && type.find("patch") != std::string::npos) return response_of(body.error());
    const Json value = body ? *body : Json::object();
    if (request.subresource == "scale") return answer_scale(request, value, now);
    const bool existed = store.find({request.kind, request.ns, request.name}) != nullptr;
    std::vector<std::string> warnings;
    const auto written = patch(request, value, now, &warnings);
    if (!written) return with_warnings(response_of(written.error()), warnings);
    return with_warnings(object_response(existed ? 200 : 201, request, form, *written, now), warnings);
}

namespace {

// Unlike kube-apiserver: ephemeral containers are not taken. kubectl debug shows the message.
Error no_ephemeral_containers(const Request& request) {
    const Json details = {{"name", request.name}, {"kind", request.kind->plural}};
    return {Reason::forbidden,
            "pods \"" + request.name +
                "\" is forbidden: this cluster runs no ephemeral containers: use kubectl exec, or "
                "kubectl debug with --copy-to",
            dump_json(details)};
}

}  // namespace

Response Api::Impl::answer_write(const Request& request, const Form& form, Time now) {
    if (auto checked = check_write_options(request); !checked) return response_of(checked.error());
    if (request.subresource == "ephemeralcontainers")
        return response_of(no_ephemeral_containers(request));
    if (request.verb == Verb::patch) return answer_patch(request, form, now);
    std::vector<std::string> warnings, problems;
    auto body = decode_body(request, warnings);
    if (!body) return with_warnings(response_of(body.error()), warnings);
    for (const std::string& path : body->duplicates)
        problems.push_back("duplicate field \"" + path + "\"");
    if (auto checked = report_problems(request, *request.kind, problems, &warnings); !checked)
        return response_of(checked.error());
    if (request.subresource == "scale") return answer_scale(request, body->value, now);
    const bool creates = request.verb == Verb::create;
    if (creates && (request.kind->create_only || !request.subresource.empty())) {
        const bool review = request.kind->create_only && request.kind->plural != "bindings";
        const auto made = review ? answer_review(request, std::move(body->value), now)
                                 : create_subresource(request, std::move(body->value), now);
        return made ? json_response(201, *made) : response_of(made.error());
    }
    const auto written = creates ? create(request, std::move(body->value), now, &warnings)
                                 : update(request, std::move(body->value), now, &warnings);
    if (!written) return with_warnings(response_of(written.error()), warnings);
    return with_warnings(object_response(creates ? 201 : 200, request, form, *written, now), warnings);
}

Response Api::Impl::answer_remove_collection(const Request& request, const Json& options, Time now) {
    const auto selectors = selectors_of(request);
    if (!selectors) return response_of(selectors.error());
    const Kind& kind = stored_kind(*request.kind);
    // The answer is the list as it was before.
    const ResourceVersion version = store.version();
    std::string items;
    for (const ObjectPtr& object : store.list(kind, request.ns)) {
        if (!selectors->matches(*object)) continue;
        const auto removed = remove_object(request, object, options, now);
        if (!removed) return response_of(removed.error());
        items += items.empty() ? "" : ",";
        append_item(items, *request.kind, *presented(*request.kind, object));
    }
    Response response;
    response.body = "{\"kind\":\"" + std::string(request.kind->kind) + "List\",\"apiVersion\":\"" +
                    request.kind->api_version() + "\",\"metadata\":{\"resourceVersion\":\"" +
                    std::to_string(version) + "\"" + (kind.custom ? ",\"continue\":\"\"" : "") +
                    "},\"items\":[" + items + "]}\n";
    return response;
}

Response Api::Impl::answer_remove(const Request& request, const Form& form, Time now) {
    const auto options = decode_options(request);
    if (!options) return response_of(options.error());
    const Kind& kind = stored_kind(*request.kind);
    std::vector<std::string> warnings;
    if (orphans_by_default(kind, *options)) warnings.emplace_back(orphan_warning);
    if (request.verb == Verb::remove_collection)
        return with_warnings(answer_remove_collection(request, *options, now), warnings);
    const ObjectPtr live = store.find({&kind, request.ns, request.name});
    if (!live) return response_of(not_found(*request.kind, request.name));
    const auto removed = remove_object(request, live, *options, now);
    if (!removed) return response_of(removed.error());
    if (removed->gone && !returned_when_deleted(kind))
        return with_warnings(json_response(200, deleted_status(*request.kind, *live)), warnings);
    return with_warnings(
        object_response(200, request, form, presented(*request.kind, removed->object), now), warnings);
}

Response Api::Impl::answer(const Request& request, Time now) {
    SHED_CHECK(request.kind != nullptr);
    const auto form = negotiate(request.accept);
    if (!form) return response_of(form.error());
    Response response;
    switch (request.verb) {
        case Verb::get:
        case Verb::list: response = answer_read(request, *form, now); break;
        case Verb::create:
        case Verb::update:
        case Verb::patch: response = answer_write(request, *form, now); break;
        case Verb::remove:
        case Verb::remove_collection: response = answer_remove(request, *form, now); break;
        case Verb::watch: return response_of(bad_request("a watch is not answered at once"));
    }
    if (request.kind->plural == "endpoints")
        response.headers.emplace_back("Warning", quoted_warning(endpoints_warning));
    if (form->yaml && response.content_type == "application/json") {
        response.content_type = "application/yaml";
        response.body = as_yaml(response.body);
    }
    return response;
}

// ---- the public face

Api::Api(Store& store, Rng& rng)
    : store_(store), rng_(rng), impl_(std::make_unique<Impl>(store, rng)) {}
Api::~Api() = default;

Response Api::answer(const Request& request, Time now) { return impl_->answer(request, now); }

Result<Json> Api::issue_token(const std::string& ns, const std::string& account, Json spec,
                              Time now) {
    return impl_->issue_token(ns, account, spec, now);
}

std::string Api::user_of_token(const std::string& token, Time now) const {
    const auto user = impl_->authenticate(token, {}, now);
    return user ? string_at(user->info, "username") : "";
}

Result<ObjectPtr> Api::get(const Key& key) const {
    SHED_CHECK(key.kind != nullptr);
    return impl_->find(*key.kind, key.ns, key.name);
}

namespace {

// The typed core takes objects from our own roles, which may leave out what the kind already says.
Json with_type(const Request& request, Json body) {
    if (!body.is_object()) return body;
    body["apiVersion"] = request.kind->api_version();
    body["kind"] = request.kind->kind;
    return body;
}

ObjectPtr as_object(const Request& request, const Api& api) {
    const auto object = api.get({request.kind, request.ns, request.name});
    return object ? *object : nullptr;
}

}  // namespace

Result<ObjectPtr> Api::create(const Request& request, Json body, Time now,
                              std::vector<std::string>* warnings) {
    if (request.subresource == "binding") return impl_->bind(request, body, now);
    if (!request.subresource.empty() || request.kind->create_only) {
        auto made = impl_->create_subresource(request, std::move(body), now);
        if (!made) return made.error();
        return as_object(request, *this);
    }
    return impl_->create(request, with_type(request, std::move(body)), now, warnings);
}

Result<ObjectPtr> Api::update(const Request& request, Json body, Time now,
                              std::vector<std::string>* warnings) {
    return impl_->update(request, with_type(request, std::move(body)), now, warnings);
}

Result<ObjectPtr> Api::patch(const Request& request, const Json& body, Time now,
                             std::vector<std::string>* warnings) {
    return impl_->patch(request, body, now, warnings);
}

Result<ObjectPtr> Api::remove(const Request& request, const Json& options, Time now) {
    return impl_->remove(request, options, now);
}

std::optional<Response> Api::discovery(std::string_view path, std::string_view accept,
                                       std::string_view if_none_match) const {
    return impl_->discovery(path, accept, if_none_match);
}

}  // namespace shed
