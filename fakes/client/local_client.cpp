// The in-memory transport: straight into this process's Api, without text.
#include "fakes/client/client.hpp"

#include "fakes/journal/durable.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

Error unknown_kind(const Json& object) {
    return {Reason::bad_request, "no kind \"" + string_at(object, "kind") + "\" in \"" +
                                     string_at(object, "apiVersion") + "\""};
}

std::string_view content_type_of(PatchType type) {
    switch (type) {
        case PatchType::json: return "application/json-patch+json";
        case PatchType::merge: return "application/merge-patch+json";
        case PatchType::strategic: return "application/strategic-merge-patch+json";
        case PatchType::apply: return "application/apply-patch+yaml";
    }
    return "";
}

class LocalClient final : public Client {
public:
    LocalClient(Api& api, Clock& clock, asio::any_io_executor executor, std::string manager)
        : api_(api), clock_(clock), executor_(std::move(executor)), manager_(std::move(manager)) {}

    asio::awaitable<Result<ObjectPtr>> get(Key key) override {
        co_await turn();
        auto found = api_.get(key);
        co_return co_await once_durable(std::move(found));
    }

    asio::awaitable<Result<ListResult>> list(ListScope scope) override {
        co_await turn();
        auto selector = LabelSelector::parse(scope.label_selector);
        auto fields = FieldSelector::parse(scope.field_selector, *scope.kind);
        if (!selector) co_return selector.error();
        if (!fields) co_return fields.error();
        ListResult result;
        result.version = api_.store().version();
        for (const ObjectPtr& object : api_.store().list(*scope.kind, scope.ns))
            if (selector->matches(*object) && fields->matches(*object)) result.items.push_back(object);
        Result<ListResult> listed(std::move(result));
        co_return co_await once_durable(std::move(listed));
    }

    asio::awaitable<Error> watch(ListScope scope, ResourceVersion since,
                                 std::function<void(const WatchEvent&)> handler) override {
        Request request = request_for(Verb::watch, *scope.kind, scope.ns, "", WriteOptions());
        request.query.emplace("resourceVersion", std::to_string(since));
        if (!scope.field_selector.empty()) request.query.emplace("fieldSelector", scope.field_selector);
        if (!scope.label_selector.empty()) request.query.emplace("labelSelector", scope.label_selector);
        auto opened = api_.watch(request, clock_.now());
        if (!opened) co_return opened.error();
        const std::unique_ptr<Watch> watch = std::move(*opened);
        asio::steady_timer wake(executor_, asio::steady_timer::time_point::max());
        bool news = false;
        const auto subscription = api_.store().subscribe([&](const StoreEvent& event) {
            if (&event.object->kind() != scope.kind) return;
            news = true;
            wake.cancel();
        });
        for (;;) {
            news = false;
            const std::vector<WatchEvent> events = watch->poll(clock_.now());
            std::optional<Error> lost;
            if (!api_.store().all_durable()) lost = co_await until_durable(api_.store(), executor_);
            if (lost) co_return Error{Reason::expired, lost->message};
            for (const WatchEvent& event : events) {
                if (event.type == WatchEvent::Type::error) co_return error_of(410, event.detail);
                if (event.type != WatchEvent::Type::bookmark) handler(event);
            }
            // What came while this waited for the disk has woken nobody.
            if (!events.empty() || news) continue;
            wake.expires_at(asio::steady_timer::time_point::max());
            auto [ec] = co_await wake.async_wait(asio::as_tuple(asio::use_awaitable));
            (void)ec;
            const auto state = co_await asio::this_coro::cancellation_state;
            if (state.cancelled() != asio::cancellation_type::none)
                throw boost::system::system_error(asio::error::operation_aborted);
        }
    }

    asio::awaitable<Result<ObjectPtr>> create(Json object, WriteOptions options) override {
        co_await turn();
        const Kind* kind = find_kind_by_name(string_at(object, "apiVersion"), string_at(object, "kind"));
        if (kind == nullptr) co_return unknown_kind(object);
        if (options.subresource == "binding") {
            auto bound = bind(object, options);
            co_return co_await once_durable(std::move(bound));
        }
        Request request = request_for(Verb::create, *kind, string_at(object, "metadata.namespace"),
                                      string_at(object, "metadata.name"), options);
        auto made = options.strict ? create_strictly(std::move(request), object)
                                   : api_.create(request, std::move(object), clock_.now());
        co_return co_await once_durable(std::move(made));
    }

    asio::awaitable<Result<ObjectPtr>> update(Json object, WriteOptions options) override {
        co_await turn();
        const Kind* kind = find_kind_by_name(string_at(object, "apiVersion"), string_at(object, "kind"));
        if (kind == nullptr) co_return unknown_kind(object);
        Request request = request_for(Verb::update, *kind, string_at(object, "metadata.namespace"),
                                      string_at(object, "metadata.name"), options);
        auto written = api_.update(request, std::move(object), clock_.now());
        co_return co_await once_durable(std::move(written));
    }

    asio::awaitable<Result<ObjectPtr>> patch(Key key, PatchType type, Json body, WriteOptions options) override {
        co_await turn();
        Request request = request_for(Verb::patch, *key.kind, key.ns, key.name, options);
        request.content_type = content_type_of(type);
        if (options.force) request.query.emplace("force", "true");
        auto written = api_.patch(request, body, clock_.now());
        co_return co_await once_durable(std::move(written));
    }

    asio::awaitable<Result<ObjectPtr>> remove(Key key, Json delete_options) override {
        co_await turn();
        const Request request = request_for(Verb::remove, *key.kind, key.ns, key.name, WriteOptions());
        auto removed = api_.remove(request, delete_options, clock_.now());
        co_return co_await once_durable(std::move(removed));
    }

private:
    // Each call is a turn of the event loop, as a request over the network would be: nobody's state changes under a
    // caller that has not waited.
    asio::awaitable<void> turn() { co_await asio::post(executor_, asio::use_awaitable); }

    // As over the network, nobody is told what a crash could take back.
    template <class T>
    asio::awaitable<Result<T>> once_durable(Result<T> outcome) {
        std::optional<Error> lost;
        if (!api_.store().all_durable()) lost = co_await until_durable(api_.store(), executor_);
        if (lost) co_return *lost;
        co_return outcome;
    }

    Request request_for(Verb verb, const Kind& kind, std::string ns, std::string name,
                        const WriteOptions& options) const {
        Request request;
        request.verb = verb;
        request.kind = &kind;
        request.ns = std::move(ns);
        request.name = std::move(name);
        request.subresource = options.subresource;
        request.user_agent = manager_;
        request.query.emplace("fieldManager", options.manager.empty() ? manager_ : options.manager);
        return request;
    }

    Result<ObjectPtr> bind(const Json& binding, const WriteOptions& options) {
        Request request = request_for(Verb::create, kind_of("v1", "Pod"), string_at(binding, "metadata.namespace"),
                                      string_at(binding, "metadata.name"), options);
        const auto bound = post(request, binding);
        if (!bound) return bound.error();
        const Key pod{&kind_of("v1", "Pod"), request.ns, request.name};
        return api_.get(pod);
    }

    // The fields of a body are checked where it is decoded, so this one goes as text.
    Result<ObjectPtr> create_strictly(Request request, const Json& object) {
        request.query.emplace("fieldValidation", "Strict");
        auto made = post(request, object);
        if (!made) return made.error();
        return Object::make(std::move(*made));
    }

    Result<Json> post(Request& request, const Json& body) {
        request.content_type = "application/json";
        request.body = dump_json(body);
        const Response response = api_.answer(request, clock_.now());
        auto answer = parse_json(response.body);
        if (response.status < 300) return answer;
        return error_of(response.status, answer ? *answer : Json());
    }

    Api& api_;
    Clock& clock_;
    asio::any_io_executor executor_;
    std::string manager_;
};

}  // namespace

std::unique_ptr<Client> local_client(Api& api, Clock& clock, asio::any_io_executor executor, std::string manager) {
    return std::make_unique<LocalClient>(api, clock, std::move(executor), std::move(manager));
}

}  // namespace shed
