#pragma once
// What the Kubernetes API means: a request in, a response out, against the store. The HTTPS server and the in-memory
// client are two skins on this. Pure: time and random numbers come in, bytes come out.
#include "fakes/admission/admission.hpp"
#include "fakes/base/rng.hpp"
#include "fakes/store/store.hpp"

#include <map>
#include <nlohmann/json.hpp>

namespace shed {

enum class Verb { get, list, watch, create, update, patch, remove, remove_collection };

struct Request {
    Verb verb = Verb::get;
    const Kind* kind = nullptr;
    std::string ns, name, subresource;
    std::multimap<std::string, std::string> query;  // decoded
    std::string content_type;                       // of the body
    std::string accept;                             // as sent; Table and PartialObjectMetadata are chosen from it
    std::string body;
    std::string user = "system:admin";
    std::string user_agent;                         // its first word is the default field manager
    std::string_view parameter(std::string_view name) const;  // "" when absent; the first when repeated
    bool flag(std::string_view name) const;                   // Go's ParseBool and Python's True
};

struct Response {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;  // Warning, Retry-After, ...
};

Response response_of(const Error& error);

struct WatchEvent {
    enum class Type { added, modified, deleted, bookmark, error };
    Type type;
    ObjectPtr object;  // nullptr for bookmark and error
    Json detail;       // bookmark: the object to send; error: the Status
};

// A cursor into the store's events for one request. Never blocks: poll after the store's subscription fired.
class Watch {
public:
    virtual ~Watch() = default;
    // At most `max` events; empty when there is nothing new. After an error event finished() is true.
    virtual std::vector<WatchEvent> poll(Time now, std::size_t max = 1000) = 0;
    // The same as `{"type":..,"object":..}\n` lines in the form the client asked for (JSON, Table, PartialObjectMetadata).
    virtual std::vector<std::string> poll_frames(Time now, std::size_t max = 1000) = 0;
    virtual bool finished() const = 0;
    // When to poll even if nothing changed (a bookmark falls due); nullopt: never.
    virtual std::optional<Time> next_due() const { return std::nullopt; }
};

class Api {
public:
    Api(Store& store, Rng& rng);
    ~Api();

    // Every verb but watch. Never throws for what a client sent.
    Response answer(const Request& request, Time now);
    Result<std::unique_ptr<Watch>> watch(const Request& request, Time now);

    // The typed core beneath answer(), for in-memory clients: no text is parsed or written.
    // `body` of create and update is the object; of patch, the patch in the form `request.content_type` names.
    Result<ObjectPtr> get(const Key& key) const;
    Result<ObjectPtr> create(const Request& request, Json body, Time now, std::vector<std::string>* warnings = nullptr);
    Result<ObjectPtr> update(const Request& request, Json body, Time now, std::vector<std::string>* warnings = nullptr);
    Result<ObjectPtr> patch(const Request& request, const Json& body, Time now,
                            std::vector<std::string>* warnings = nullptr);
    // The object as it is now (deleting) or was (gone). `options` is a metav1.DeleteOptions or null.
    Result<ObjectPtr> remove(const Request& request, const Json& options, Time now);

    Store& store() { return store_; }

    // What serviceaccounts/NAME/token answers to a TokenRequest of this `spec`, and kubelets put
    // into pods: its status {token, expirationTimestamp}.
    Result<Json> issue_token(const std::string& ns, const std::string& account, Json spec, Time now);
    // "system:serviceaccount:NS:NAME", or "" for a token that does not open this server (now).
    std::string user_of_token(const std::string& token, Time now) const;

    // ---- discovery: /version /api /apis /apis/g /apis/g/v /openapi/v2 /openapi/v3...; nullopt when not such a path
    std::optional<Response> discovery(std::string_view path, std::string_view accept, std::string_view if_none_match) const;

private:
    Store& store_;
    Rng& rng_;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// URL path -> Request without body. An Error is the answer to give (404, 405). `query` is already decoded.
// Subresources log, exec, attach, portforward, proxy come back in Request::subresource for the server to handle.
Result<Request> parse_path(std::string_view method, std::string_view path, std::multimap<std::string, std::string> query);

}  // namespace shed
