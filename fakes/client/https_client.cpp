// The HTTPS transport: what a role on another host uses, and what proves that no role takes a short cut.
#include "fakes/client/client.hpp"
#include "fakes/net/http_client.hpp"

#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

std::string path_of(const Kind& kind, const std::string& ns, const std::string& name,
                    const std::string& subresource) {
    std::string path = kind.group.empty() ? "/api/v1" : "/apis/" + kind.api_version();
    if (kind.namespaced && !ns.empty()) path += "/namespaces/" + percent_encode(ns);
    path += "/" + std::string(kind.plural);
    if (!name.empty()) path += "/" + percent_encode(name);
    if (!subresource.empty()) path += "/" + subresource;
    return path;
}

std::string query_of(const ListScope& scope) {
    std::string query;
    const auto add = [&](std::string_view name, std::string_view value) {
        if (value.empty()) return;
        query += (query.empty() ? "?" : "&") + std::string(name) + "=" + percent_encode(value);
    };
    add("fieldSelector", scope.field_selector);
    add("labelSelector", scope.label_selector);
    return query;
}

Error error_in(const HttpResponse& response) {
    const auto status = parse_json(response.body);
    return error_of(response.status, status ? *status : Json());
}

// Items of built-in lists do not carry their kind.
Json with_kind(Json item, const Kind& kind) {
    if (!item.is_object()) return item;
    item["apiVersion"] = kind.api_version();
    item["kind"] = kind.kind;
    return item;
}

WatchEvent::Type event_type(const std::string& name) {
    if (name == "ADDED") return WatchEvent::Type::added;
    if (name == "MODIFIED") return WatchEvent::Type::modified;
    if (name == "DELETED") return WatchEvent::Type::deleted;
    return name == "BOOKMARK" ? WatchEvent::Type::bookmark : WatchEvent::Type::error;
}

class HttpsClient final : public Client {
public:
    HttpsClient(asio::any_io_executor executor, HttpsEndpoint endpoint, std::string manager)
        : http_(std::move(executor), HttpsTarget{endpoint.host, endpoint.port, endpoint.ca_pem, endpoint.token}),
          manager_(std::move(manager)) {}

    asio::awaitable<Result<ObjectPtr>> get(Key key) override {
        std::string path = path_of(*key.kind, key.ns, key.name, "");
        co_return co_await one("GET", std::move(path), "", "");
    }

    asio::awaitable<Result<ListResult>> list(ListScope scope) override {
        std::string path = path_of(*scope.kind, scope.ns, "", "") + query_of(scope);
        auto response = co_await http_.request("GET", std::move(path), "", "");
        if (!response) co_return response.error();
        if (response->status >= 300) co_return error_in(*response);
        auto body = parse_json(response->body);
        if (!body) co_return body.error();
        ListResult result;
        result.version = std::strtoull(string_at(*body, "metadata.resourceVersion").c_str(), nullptr, 10);
        if (const Json& items = member(*body, "items"); items.is_array()) {
            for (const Json& item : items) {
                auto object = object_of(with_kind(item, *scope.kind));
                if (!object) co_return object.error();
                result.items.push_back(std::move(*object));
            }
        }
        co_return result;
    }

    asio::awaitable<Error> watch(ListScope scope, ResourceVersion since,
                                 std::function<void(const WatchEvent&)> handler) override {
        std::string path = path_of(*scope.kind, scope.ns, "", "") + query_of(scope);
        path += (path.find('?') == std::string::npos ? "?" : "&");
        path += "watch=true&allowWatchBookmarks=true&resourceVersion=" + std::to_string(since);
        std::string pending;
        std::optional<Error> failure;
        const Kind& kind = *scope.kind;
        std::function<void(std::string_view)> chunk = [&](std::string_view bytes) {
            pending.append(bytes);
            for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n')) {
                take_line(pending.substr(0, end), kind, handler, failure);
                pending.erase(0, end + 1);
            }
        };
        auto response = co_await http_.stream(std::move(path), std::move(chunk));
        if (failure) co_return *failure;
        if (!response) co_return response.error();
        if (response->status >= 300) co_return error_in(*response);
        co_return Error{Reason::timeout, "the watch has ended"};
    }

    asio::awaitable<Result<ObjectPtr>> create(Json object, WriteOptions options) override {
        const Kind* kind = find_kind_by_name(string_at(object, "apiVersion"), string_at(object, "kind"));
        if (kind == nullptr) co_return Error{Reason::bad_request, "no kind " + string_at(object, "kind")};
        const std::string ns = string_at(object, "metadata.namespace"), name = string_at(object, "metadata.name");
        const bool binds = options.subresource == "binding";
        const Key pod{&kind_of("v1", "Pod"), ns, name};
        std::string path = binds ? path_of(*pod.kind, ns, name, "binding") : path_of(*kind, ns, "", options.subresource);
        path += manager_query(options);
        std::string body = dump_json(object);
        if (!binds) co_return co_await one("POST", std::move(path), std::move(body), "application/json");
        auto response = co_await http_.request("POST", std::move(path), std::move(body), "application/json");
        if (!response) co_return response.error();
        if (response->status >= 300) co_return error_in(*response);
        co_return co_await get(pod);
    }

    asio::awaitable<Result<ObjectPtr>> update(Json object, WriteOptions options) override {
        const Kind* kind = find_kind_by_name(string_at(object, "apiVersion"), string_at(object, "kind"));
        if (kind == nullptr) co_return Error{Reason::bad_request, "no kind " + string_at(object, "kind")};
        std::string path = path_of(*kind, string_at(object, "metadata.namespace"),
                                   string_at(object, "metadata.name"), options.subresource) +
                           manager_query(options);
        std::string body = dump_json(object);
        co_return co_await one("PUT", std::move(path), std::move(body), "application/json");
    }

    asio::awaitable<Result<ObjectPtr>> patch(Key key, PatchType type, Json body, WriteOptions options) override {
        static constexpr const char* types[] = {"application/json-patch+json", "application/merge-patch+json",
                                                "application/strategic-merge-patch+json",
                                                "application/apply-patch+yaml"};
        std::string path = path_of(*key.kind, key.ns, key.name, options.subresource) + manager_query(options);
        if (options.force) path += "&force=true";
        std::string text = dump_json(body);
        co_return co_await one("PATCH", std::move(path), std::move(text), types[static_cast<int>(type)]);
    }

    asio::awaitable<Result<ObjectPtr>> remove(Key key, Json delete_options) override {
        std::string path = path_of(*key.kind, key.ns, key.name, "");
        std::string body = delete_options.is_null() ? "" : dump_json(delete_options);
        auto response = co_await http_.request("DELETE", std::move(path), std::move(body), "application/json");
        if (!response) co_return response.error();
        if (response->status >= 300) co_return error_in(*response);
        auto object = parse_json(response->body);
        if (!object) co_return object.error();
        if (string_at(*object, "kind") == "Status") co_return ObjectPtr();
        co_return object_of(std::move(*object));
    }

private:
    asio::awaitable<Result<ObjectPtr>> one(std::string method, std::string path, std::string body,
                                           std::string content_type) {
        auto response = co_await http_.request(std::move(method), std::move(path), std::move(body),
                                               std::move(content_type));
        if (!response) co_return response.error();
        if (response->status >= 300) co_return error_in(*response);
        auto object = parse_json(response->body);
        if (!object) co_return object.error();
        co_return object_of(std::move(*object));
    }

    std::string manager_query(const WriteOptions& options) const {
        return "?fieldManager=" + percent_encode(options.manager.empty() ? manager_ : options.manager) +
               (options.strict ? "&fieldValidation=Strict" : "");
    }

    static void take_line(const std::string& line, const Kind& kind,
                          const std::function<void(const WatchEvent&)>& handler, std::optional<Error>& failure) {
        if (failure) return;
        auto frame = parse_json(line);
        if (!frame) {
            failure = frame.error();
            return;
        }
        WatchEvent event{event_type(string_at(*frame, "type")), nullptr, {}};
        const Json& object = member(*frame, "object");
        if (event.type == WatchEvent::Type::error) {
            failure = error_of(static_cast<int>(int_at(object, "code", 500)), object);
        } else if (event.type != WatchEvent::Type::bookmark) {
            auto made = object_of(with_kind(object, kind));
            if (!made) {
                failure = made.error();
                return;
            }
            event.object = std::move(*made);
            handler(event);
        }
    }

    HttpClient http_;
    std::string manager_;
};

}  // namespace

Result<ObjectPtr> object_of(Json dom) {
    const std::string api_version = string_at(dom, "apiVersion"), kind = string_at(dom, "kind");
    if (find_kind_by_name(api_version, kind) == nullptr || string_at(dom, "metadata.name").empty())
        return Error{Reason::internal, "the server sent \"" + kind + "\" of \"" + api_version +
                                           "\", which is no object with a name of a kind that is known"};
    return Object::make(std::move(dom));
}

std::unique_ptr<Client> https_client(asio::any_io_executor executor, HttpsEndpoint endpoint, std::string manager) {
    return std::make_unique<HttpsClient>(std::move(executor), std::move(endpoint), std::move(manager));
}

}  // namespace shed
