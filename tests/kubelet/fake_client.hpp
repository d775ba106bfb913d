#pragma once
// A small cluster for the kubelet's tests: objects, watches and just as much of the API's rules as
// a kubelet meets.
#include "fakes/client/client.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <nlohmann/json.hpp>

#include <list>

namespace shed {

class FakeClient final : public Client {
public:
    explicit FakeClient(Clock& clock) : clock_(clock) {}

    boost::asio::awaitable<Result<ObjectPtr>> get(Key key) override { co_return find_or_fail(key); }

    boost::asio::awaitable<Result<ListResult>> list(ListScope scope) override {
        ListResult result;
        result.version = version_;
        for (const auto& [key, object] : objects) {
            if (matches(scope, *object)) result.items.push_back(object);
        }
        co_return result;
    }

    boost::asio::awaitable<Error> watch(ListScope scope, ResourceVersion,
                                        std::function<void(const WatchEvent&)> handler) override {
        // Whoever cancels a watch is told nothing any more. A coroutine may outlive this client.
        const auto all = watchers_;
        const auto watcher = all->insert(all->end(), {std::move(scope), std::move(handler)});
        const std::shared_ptr<void> end(nullptr, [all, watcher](void*) { all->erase(watcher); });
        boost::asio::steady_timer forever(co_await boost::asio::this_coro::executor,
                                          boost::asio::steady_timer::time_point::max());
        co_await forever.async_wait(boost::asio::use_awaitable);
        co_return Error{Reason::expired, ""};
    }

    boost::asio::awaitable<Result<ObjectPtr>> create(Json object, WriteOptions) override {
        const Key key = key_of(object);
        if (objects.contains(key)) co_return already_exists(*key.kind, key.name);
        object["metadata"]["uid"] = "uid-" + key.name;
        co_return put(std::move(object), WatchEvent::Type::added);
    }

    boost::asio::awaitable<Result<ObjectPtr>> update(Json object, WriteOptions) override {
        co_return put(std::move(object), WatchEvent::Type::modified);
    }

    boost::asio::awaitable<Result<ObjectPtr>> patch(Key key, PatchType, Json body,
                                                    WriteOptions options) override {
        const auto known = find_or_fail(key);
        if (!known) co_return known.error();
        if (refuse && refuse(key, options))
            co_return Error{Reason::unavailable, "refused by the test"};
        Json object = (*known)->dom();
        if (body.contains("status")) merge_conditions(object, body["status"]);
        object.merge_patch(body);
        ++patches[key.name];
        co_return put(std::move(object), WatchEvent::Type::modified);
    }

    boost::asio::awaitable<Result<ObjectPtr>> remove(Key key, Json options) override {
        const auto known = find_or_fail(key);
        if (!known) co_return known.error();
        if (int_at(options, "gracePeriodSeconds", 30) == 0) erase(key);
        co_return *known;
    }

    // ---- what a test does as user, scheduler and API server
    ObjectPtr put(Json object, WatchEvent::Type type) {
        object["metadata"]["resourceVersion"] = std::to_string(++version_);
        const ObjectPtr made = Object::make(std::move(object));
        objects[made->key()] = made;
        tell(type, made);
        return made;
    }
    ObjectPtr add(Json object) { return put(std::move(object), WatchEvent::Type::added); }
    void ask_deletion(const Key& key, int grace) {
        Json object = objects.at(key)->dom();
        object["metadata"]["deletionTimestamp"] = format_time(clock_.now());
        object["metadata"]["deletionGracePeriodSeconds"] = grace;
        object["metadata"]["generation"] = int_at(object, "metadata.generation", 1) + 1;
        put(std::move(object), WatchEvent::Type::modified);
    }
    void erase(const Key& key) {
        const ObjectPtr last = objects.at(key);
        objects.erase(key);
        tell(WatchEvent::Type::deleted, last);
    }
    Json dom(std::string_view kind, std::string_view ns, std::string_view name) const {
        const auto found =
            objects.find(Key{&kind_of("v1", kind), std::string(ns), std::string(name)});
        return found == objects.end() ? Json() : found->second->dom();
    }
    std::vector<std::string> events() const {
        std::vector<std::string> texts;
        for (const auto& [key, object] : objects) {
            if (key.kind->kind == "Event")
                texts.push_back(string_at(object->dom(), "reason") + ": " +
                                string_at(object->dom(), "message"));
        }
        return texts;
    }

    std::map<Key, ObjectPtr> objects;
    std::map<std::string, int> patches;
    std::function<bool(const Key&, const WriteOptions&)> refuse;

private:
    struct Watcher {
        ListScope scope;
        std::function<void(const WatchEvent&)> handler;
    };

    static Key key_of(const Json& object) {
        return Key{&kind_of(string_at(object, "apiVersion"), string_at(object, "kind")),
                   string_at(object, "metadata.namespace"), string_at(object, "metadata.name")};
    }
    Result<ObjectPtr> find_or_fail(const Key& key) const {
        const auto found = objects.find(key);
        if (found == objects.end()) return not_found(*key.kind, key.name);
        return found->second;
    }
    static bool matches(const ListScope& scope, const Object& object) {
        if (scope.kind != object.key().kind) return false;
        if (!scope.ns.empty() && scope.ns != object.ns()) return false;
        const auto equals = scope.field_selector.find('=');
        return equals == std::string::npos ||
               string_at(object.dom(), scope.field_selector.substr(0, equals)) ==
                   scope.field_selector.substr(equals + 1);
    }
    void tell(WatchEvent::Type type, const ObjectPtr& object) {
        for (const Watcher& watcher : *watchers_) {
            if (matches(watcher.scope, *object)) watcher.handler(WatchEvent{type, object, {}});
        }
    }
    static void merge_conditions(const Json& object, Json& status) {
        status.erase("$setElementOrder/conditions");
        for (const Json& old : at_path(object, "status.conditions")) {
            if (condition_of(Json{{"status", status}}, string_at(old, "type")).is_null())
                status["conditions"].push_back(old);
        }
    }

    Clock& clock_;
    ResourceVersion version_ = 1;
    std::shared_ptr<std::list<Watcher>> watchers_ = std::make_shared<std::list<Watcher>>();
};

}  // namespace shed
