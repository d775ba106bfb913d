// get and list: bytes are put together, never parsed and written again.
#include "fakes/api/internal.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

constexpr std::size_t every_event = static_cast<std::size_t>(-1);

// Finds a top-level member of an object's bytes and cuts it out with one comma. Keys are sorted, and apiVersion and kind
// come before metadata, so little is read.
void erase_member(std::string& item, std::string_view key) {
    const std::string wanted = "\"" + std::string(key) + "\":\"";
    std::size_t at = 1;
    int depth = 0;
    while (at < item.size()) {
        const char c = item[at];
        if (depth == 0 && item.compare(at, wanted.size(), wanted) == 0) {
            std::size_t end = item.find('"', at + wanted.size()) + 1;
            if (end < item.size() && item[end] == ',') ++end;
            else if (item[at - 1] == ',') --at;
            item.erase(at, end - at);
            return;
        }
        if (c == '"') {
            for (++at; at < item.size() && item[at] != '"'; ++at)
                if (item[at] == '\\') ++at;
        } else if (c == '{' || c == '[') {
            ++depth;
        } else if (c == '}' || c == ']') {
            --depth;
        }
        ++at;
    }
}

struct ListOptions {
    Selectors selectors;
    std::int64_t limit = 0;
    std::string continue_token;
    std::string match;
    std::optional<ResourceVersion> version;  // as given; absent when empty
};

std::optional<ResourceVersion> parse_version(std::string_view text) {
    ResourceVersion version = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return version;
}

Error list_invalid(std::string reason, std::string field, std::string message) {
    return options_invalid("ListOptions", {std::move(reason), std::move(field), std::move(message)});
}

Result<void> check_match(const Request& request, const ListOptions& options) {
    if (!request.parameter("sendInitialEvents").empty())
        return list_invalid("FieldValueForbidden", "sendInitialEvents",
                            "Forbidden: sendInitialEvents is forbidden for list");
    if (options.match.empty()) return {};
    if (!options.version)
        return list_invalid(
            "FieldValueForbidden", "resourceVersionMatch",
            "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
    if (!options.continue_token.empty())
        return list_invalid("FieldValueForbidden", "resourceVersionMatch",
                            "Forbidden: resourceVersionMatch is forbidden when continue is provided");
    if (options.match != "Exact" && options.match != "NotOlderThan")
        return list_invalid("FieldValueNotSupported", "resourceVersionMatch",
                            "Unsupported value: \"" + options.match +
                                "\": supported values: \"Exact\", \"NotOlderThan\", \"\"");
    if (options.match == "Exact" && *options.version == 0)
        return list_invalid("FieldValueForbidden", "resourceVersionMatch",
                            "Forbidden: resourceVersionMatch \"exact\" is forbidden for "
                            "resourceVersion \"0\"");
    return {};
}

Result<ListOptions> list_options(const Request& request) {
    ListOptions options;
    auto selectors = selectors_of(request);
    if (!selectors) return selectors.error();
    options.selectors = std::move(*selectors);
    const auto limit = integer_parameter(request, "limit");
    if (!limit) return limit.error();
    options.limit = std::max<std::int64_t>(0, limit->value_or(0));
    if (const auto timeout = integer_parameter(request, "timeoutSeconds"); !timeout)
        return timeout.error();
    options.continue_token = request.parameter("continue");
    options.match = request.parameter("resourceVersionMatch");
    const std::string version(request.parameter("resourceVersion"));
    if (!version.empty() && options.continue_token.empty()) {
        options.version = parse_version(version);
        if (!options.version)
            return bad_request("invalid resource version: resourceVersion: Invalid value: \"" +
                               version + "\": strconv.ParseUint: parsing \"" + version +
                               "\": invalid syntax");
    }
    if (auto checked = check_match(request, options); !checked) return checked.error();
    return options;
}

// ---- continue tokens, in the real server's form: {"v":"meta.k8s.io/v1","rv":7,"start":"/name\u0000"}


struct Cursor {
    ResourceVersion version = 0;
    std::string after;  // "ns/name" or "/name" of the last object given out
};

std::string cursor_key(const Request& request, const Object& object) {
    return (request.ns.empty() && request.kind->namespaced ? object.ns() : "") + "/" + object.name();
}

std::string continue_token(const Request& request, ResourceVersion version, const Object& last) {
    Json token = {{"v", "meta.k8s.io/v1"}, {"rv", version}};
    token["start"] = cursor_key(request, last) + std::string(1, '\0');
    return base64_url(dump_json(token));
}

Result<Cursor> parse_continue(const std::string& token) {
    const std::string prefix = "invalid continue token: continue key is not valid: ";
    const auto bytes = from_base64_url(token);
    if (!bytes) return bad_request(prefix + bytes.error().message);
    const auto parsed = parse_json(*bytes);
    if (!parsed) return bad_request(prefix + scan_json(*bytes).error);
    const std::int64_t version = int_at(*parsed, "rv");
    std::string start = string_at(*parsed, "start");
    if (version <= 0 || start.empty())
        return bad_request(prefix + "encoded start of response invalid (version " +
                           string_at(*parsed, "v") + ")");
    if (start.back() == '\0') start.pop_back();
    return Cursor{static_cast<ResourceVersion>(version), std::move(start)};
}

struct Page {
    std::vector<ObjectPtr> objects;
    ResourceVersion version = 0;
    std::string next;  // continue token
    std::optional<std::int64_t> remaining;
};

Page page_of(const Request& request, const ListOptions& options, std::vector<ObjectPtr> all,
             ResourceVersion version, const std::string& after, bool limited) {
    Page page;
    page.version = version;
    std::size_t begin = 0;
    if (!after.empty()) {
        const auto slash = after.find('/');
        const bool wide = request.ns.empty() && request.kind->namespaced;
        const std::pair<std::string, std::string> key{wide ? after.substr(0, slash) : std::string(),
                                                      after.substr(slash + 1)};
        const auto place = [&](const ObjectPtr& o) {
            return std::pair(wide ? o->ns() : std::string(), o->name());
        };
        while (begin < all.size() && place(all[begin]) <= key) ++begin;
    }
    const auto limit = static_cast<std::size_t>(options.limit);
    for (std::size_t i = begin; i < all.size(); ++i) {
        if (!options.selectors.matches(*all[i])) continue;
        if (limited && limit > 0 && page.objects.size() == limit) {
            page.next = continue_token(request, version, *page.objects.back());
            if (options.selectors.empty()) page.remaining = static_cast<std::int64_t>(all.size() - i);
            break;
        }
        page.objects.push_back(all[i]);
    }
    return page;
}

std::string list_metadata(const Page& page, bool always_continue) {
    std::string text = "{\"resourceVersion\":\"" + std::to_string(page.version) + "\"";
    if (!page.next.empty() || always_continue) text += ",\"continue\":\"" + page.next + "\"";
    if (page.remaining) text += ",\"remainingItemCount\":" + std::to_string(*page.remaining);
    return text + "}";
}

std::string list_body(const Kind& kind, const std::vector<ObjectPtr>& objects,
                      const std::string& metadata) {
    std::size_t size = 200;
    for (const ObjectPtr& object : objects) size += object->bytes().size() + 1;
    std::string body;
    body.reserve(size);
    body.append("{\"kind\":\"").append(kind.kind).append("List\",\"apiVersion\":\"");
    body.append(kind.api_version()).append("\",\"metadata\":").append(metadata);
    body.append(",\"items\":[");
    bool first = true;
    for (const ObjectPtr& object : objects) {
        if (!first) body.push_back(',');
        first = false;
        append_item(body, kind, *presented(kind, object));
    }
    return body.append("]}\n");
}

std::string partial_body(const std::vector<ObjectPtr>& objects, const std::string& metadata,
                         bool beta) {
    std::string body = "{\"kind\":\"PartialObjectMetadataList\",\"apiVersion\":\"meta.k8s.io/";
    body.append(beta ? "v1beta1" : "v1").append("\",\"metadata\":").append(metadata);
    body.append(",\"items\":[");
    bool first = true;
    for (const ObjectPtr& object : objects) {
        if (!first) body.push_back(',');
        first = false;
        body.append(partial_metadata(*object, beta));
    }
    return body.append("]}\n");
}

// Kinds without field labels of their own word the refusal differently.
Error field_label_error(const Kind& kind, const Error& error) {
    constexpr std::string_view refusal = "field label not supported: ";
    static constexpr std::string_view with_labels[] = {"pods", "events",      "nodes",   "secrets",
                                                       "jobs", "replicasets", "services", "namespaces"};
    const bool own = std::find(std::begin(with_labels), std::end(with_labels), kind.plural) !=
                     std::end(with_labels);
    if (kind.custom || own || !error.message.starts_with(refusal)) return error;
    return bad_request("\"" + error.message.substr(refusal.size()) +
                       "\" is not a known field selector: only \"metadata.name\", "
                       "\"metadata.namespace\"");
}

Error list_expired() {
    return {Reason::expired, "The resourceVersion for the provided list is too old."};
}

// The client may go on from where it was, with today's objects.
Response continue_expired(const Request& request, const std::string& after, ResourceVersion now) {
    const Error error{
        Reason::expired,
        "The provided continue parameter is too old to display a consistent list result. You can "
        "start a new list without the continue parameter, or use the continue token in this response "
        "to retrieve the remainder of the results. Continuing with the provided token results in an "
        "inconsistent list - objects that were created, modified, or deleted between the time the "
        "first chunk was returned and now may show up in the list."};
    Json status = status_of(error);
    Json token = {{"v", "meta.k8s.io/v1"}, {"rv", now}};
    token["start"] = after + std::string(1, '\0');
    status["metadata"]["continue"] = base64_url(dump_json(token));
    Response response = response_of(error);
    response.body = dump_json(status) + "\n";
    static_cast<void>(request);
    return response;
}

}  // namespace

Result<Selectors> selectors_of(const Request& request) {
    auto labels = LabelSelector::parse(request.parameter("labelSelector"));
    if (!labels) return labels.error();
    // Terms on events are written in either form's words, and matched on what is stored.
    auto fields =
        FieldSelector::parse(request.parameter("fieldSelector"), stored_kind(*request.kind));
    if (!fields) return field_label_error(stored_kind(*request.kind), fields.error());
    return Selectors{std::move(*labels), std::move(*fields)};
}

Result<std::optional<std::int64_t>> integer_parameter(const Request& request,
                                                      std::string_view name) {
    const std::string text(request.parameter(name));
    if (text.empty()) return std::optional<std::int64_t>();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return bad_request("strconv.ParseInt: parsing \"" + text + "\": invalid syntax");
    return std::optional<std::int64_t>(value);
}

void append_item(std::string& out, const Kind& kind, const Object& object) {
    const std::string& bytes = object.bytes();
    if (kind.custom) {
        out += bytes;
        return;
    }
    std::string prefix = "{\"apiVersion\":\"";
    prefix.append(kind.api_version()).append("\",\"kind\":\"").append(kind.kind).append("\",");
    if (bytes.starts_with(prefix)) {
        out.push_back('{');
        out.append(bytes, prefix.size());
        return;
    }
    std::string item = bytes;
    erase_member(item, "apiVersion");
    erase_member(item, "kind");
    out += item;
}

Result<ObjectPtr> Api::Impl::find(const Kind& kind, const std::string& ns,
                                  const std::string& name) const {
    const ObjectPtr object = store.find({&kind, ns, name});
    if (!object) return not_found(kind, name);
    return presented(kind, object);
}

Result<ObjectPtr> Api::Impl::get(const Request& request) {
    const std::string version(request.parameter("resourceVersion"));
    if (!version.empty()) {
        const auto asked = parse_version(version);
        if (!asked)
            return bad_request("invalid resource version: resourceVersion: Invalid value: \"" +
                               version + "\": strconv.ParseUint: parsing \"" + version +
                               "\": invalid syntax");
        // Unlike kube-apiserver: the client is told at once, not after waiting 3 s for that version.
        if (*asked > store.version()) return version_too_large(*asked, store.version());
    }
    return find(*request.kind, request.ns, request.name);
}

std::optional<std::vector<ObjectPtr>> Api::Impl::list_at(const Kind& kind, const std::string& ns,
                                                         ResourceVersion version) const {
    std::vector<ObjectPtr> now = store.list(kind, ns);
    if (version >= store.version()) return now;
    const Store::Events later = store.events_since(kind, version, every_event);
    if (later.too_old) return std::nullopt;
    std::map<std::pair<std::string, std::string>, ObjectPtr> objects;
    for (ObjectPtr& object : now) {
        std::pair<std::string, std::string> key{object->ns(), object->name()};
        objects.emplace(std::move(key), std::move(object));
    }
    // Undoing the newer events, the newest first, gives the past.
    for (auto event = later.events.rbegin(); event != later.events.rend(); ++event) {
        if (!ns.empty() && event->object->ns() != ns) continue;
        const std::pair key{event->object->ns(), event->object->name()};
        if (event->previous) objects[key] = event->previous;
        else objects.erase(key);
    }
    std::vector<ObjectPtr> past;
    for (auto& [key, object] : objects) past.push_back(std::move(object));
    return past;
}

Response Api::Impl::list(const Request& request, const Form& form, Time now) {
    const auto options = list_options(request);
    if (!options) return response_of(options.error());
    const auto table = table_form(request, form);
    if (!table) return response_of(table.error());
    const Kind& kind = *request.kind;
    Page page;
    if (!options->continue_token.empty()) {
        const auto cursor = parse_continue(options->continue_token);
        if (!cursor) return response_of(cursor.error());
        auto past = list_at(kind, request.ns, cursor->version);
        if (!past) return continue_expired(request, cursor->after, store.version());
        page = page_of(request, *options, std::move(*past), cursor->version, cursor->after, true);
    } else if (options->match == "Exact") {
        if (*options->version > store.version())
            return response_of(version_too_large(*options->version, store.version()));
        auto past = list_at(kind, request.ns, *options->version);
        if (!past) return response_of(list_expired());
        page = page_of(request, *options, std::move(*past), *options->version, "", true);
    } else {
        if (options->version && *options->version > store.version())
            return response_of(version_too_large(*options->version, store.version()));
        // Version 0 is answered from the cache, which does not page.
        const bool limited = !(options->version && *options->version == 0);
        page = page_of(request, *options, store.list(kind, request.ns), store.version(), "", limited);
    }
    Response response;
    // Lists of custom resources say "continue" even when there is nothing more.
    const std::string metadata = list_metadata(page, kind.custom && form.as == Form::As::object);
    if (form.as == Form::As::table)
        response.body = render_table(kind, page.objects, metadata, *table, true, now) + "\n";
    else if (form.as == Form::As::partial)
        response.body = partial_body(page.objects, metadata, form.table_beta);
    else response.body = list_body(kind, page.objects, metadata);
    return response;
}

}  // namespace shed
