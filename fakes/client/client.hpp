#pragma once
// How every role sees the cluster: one interface, two transports (in memory and HTTPS), so that no role can take a short
// cut. Results are the server's own Errors. Parameters are taken by value: these are coroutines.
#include "fakes/api/api.hpp"
#include "fakes/net/clock.hpp"

#include <boost/asio/awaitable.hpp>
#include <functional>

namespace shed {

enum class PatchType { json, merge, strategic, apply };

struct WriteOptions {
    std::string subresource = {};  // "status", "binding", ...
    std::string manager = {};      // fieldManager
    bool force = false;            // apply only
    bool strict = false;           // create only: fields that the kind does not know are refused
};

struct ListResult {
    std::vector<ObjectPtr> items;
    ResourceVersion version = 0;
};

struct ListScope {
    const Kind* kind = nullptr;
    std::string ns = {};              // empty: all
    std::string field_selector = {};  // "spec.nodeName=n1"
    std::string label_selector = {};
};

class Client {
public:
    virtual ~Client() = default;
    virtual boost::asio::awaitable<Result<ObjectPtr>> get(Key key) = 0;
    virtual boost::asio::awaitable<Result<ListResult>> list(ListScope scope) = 0;
    // Calls `handler` for each event after `since`, until the watch ends (error 410 expired: list again) or the
    // coroutine is cancelled. Bookmarks are not passed on.
    virtual boost::asio::awaitable<Error> watch(ListScope scope, ResourceVersion since,
                                                std::function<void(const WatchEvent&)> handler) = 0;
    virtual boost::asio::awaitable<Result<ObjectPtr>> create(Json object, WriteOptions options) = 0;
    virtual boost::asio::awaitable<Result<ObjectPtr>> update(Json object, WriteOptions options) = 0;
    virtual boost::asio::awaitable<Result<ObjectPtr>> patch(Key key, PatchType type, Json body, WriteOptions options) = 0;
    virtual boost::asio::awaitable<Result<ObjectPtr>> remove(Key key, Json delete_options) = 0;
};

// Straight into the Api of this process. `manager` becomes the default field manager ("kube-controller-manager").
std::unique_ptr<Client> local_client(Api& api, Clock& clock, boost::asio::any_io_executor executor, std::string manager);

// An object as a server sent it. What has no kind that is known here or no name is an error (internal).
Result<ObjectPtr> object_of(Json dom);

struct HttpsEndpoint {
    std::string host = "127.0.0.1";
    std::uint16_t port = 0;
    std::string ca_pem;  // trusts only this
    std::string token;
};
std::unique_ptr<Client> https_client(boost::asio::any_io_executor executor, HttpsEndpoint endpoint, std::string manager);

}  // namespace shed
