#include "fakes/manager/manager.hpp"

#include "fakes/base/log.hpp"
#include "fakes/client/informer.hpp"
#include "fakes/manager/executor.hpp"
#include "fakes/manager/queue.hpp"
#include "fakes/net/tasks.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

namespace asio = boost::asio;

namespace shed {

namespace {

struct Worker {
    Worker(const Controller& c, const asio::any_io_executor& executor)
        : controller(&c), wake(executor, asio::steady_timer::time_point::max()) {}
    const Controller* controller;
    KeyQueue queue;
    asio::steady_timer wake;          // cancelled when there is something new to do
    std::optional<Time> alarm = {};   // when an alarm coroutine will cancel it
    std::map<Key, Json> memories = {};
    std::map<Key, std::pair<std::string, std::int64_t>> specs = {};  // uid and generation last seen
};

bool wanted(const std::vector<std::string>& names, std::string_view name) {
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

struct Manager::Impl {
    Impl(asio::any_io_executor e, Client& c, Clock& k, Options o)
        : client(c), clock(k), options(std::move(o)), executor(c, k, snapshot), tasks(e) {
        for (const Controller& controller : options.known)
            if (wanted(options.controllers, controller.name))
                workers.push_back(std::make_unique<Worker>(controller, e));
    }

    std::set<const Kind*> watched_kinds() const;
    void put(const ObjectPtr& object);
    void erase(const ObjectPtr& object);
    void changed(const Object& object);
    bool is_news_of_spec(Worker& worker, const Object& object);
    void enqueue(Worker& worker, const Key& key, bool at_once);
    void set_alarm(Worker& worker);
    asio::awaitable<void> alarm(Worker& worker, Time at);
    asio::awaitable<void> work(Worker& worker);
    asio::awaitable<void> reconcile(Worker& worker, Key key);
    asio::awaitable<std::optional<Error>> attempt(Worker& worker, Key key);
    void enqueue_related(Worker& worker, const Object& object, bool at_once);
    bool synced() const { return !informers.empty() && informers_synced == informers.size(); }

    Client& client;
    Clock& clock;
    Options options;
    Snapshot snapshot;
    PlanExecutor executor;
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::unique_ptr<Informer>> informers;
    std::size_t informers_synced = 0;
    Tasks tasks;
};

std::set<const Kind*> Manager::Impl::watched_kinds() const {
    std::set<const Kind*> kinds;
    for (const auto& worker : workers) {
        if (worker->controller->kind != nullptr) kinds.insert(worker->controller->kind);
        kinds.insert(worker->controller->watches.begin(), worker->controller->watches.end());
    }
    return kinds;
}

void Manager::Impl::put(const ObjectPtr& object) {
    // Our own writes are in the snapshot before their events arrive; an older event must not undo them.
    const ObjectPtr known = snapshot.find(object->key());
    if (known && known->uid() == object->uid() &&
        known->resource_version() > object->resource_version())
        return;
    // The same version is our own write again, maybe with a binding assumed since.
    const bool news = !known || known->uid() != object->uid() ||
                      known->resource_version() < object->resource_version();
    if (news) snapshot.put(object);
    changed(*object);
}

void Manager::Impl::erase(const ObjectPtr& object) {
    const ObjectPtr known = snapshot.find(object->key());
    if (known && known->uid() != object->uid()) return;  // Already replaced by a new one.
    snapshot.erase(object->key());
    changed(*object);
}

void Manager::Impl::changed(const Object& object) {
    for (const auto& worker : workers) {
        const Controller& controller = *worker->controller;
        const bool own = controller.kind == &object.kind();
        const bool at_once = controller.batch == Duration{} || !options.inputs.faithful_timing ||
                             (own && is_news_of_spec(*worker, object));
        if (own) enqueue(*worker, object.key(), at_once);
        enqueue_related(*worker, object, at_once);
    }
}

// An exception here would end the watch that told of the object, for all controllers.
void Manager::Impl::enqueue_related(Worker& worker, const Object& object, bool at_once) {
    try {
        for (const Key& key : worker.controller->keys_for(snapshot, object)) enqueue(worker, key, at_once);
    } catch (const std::exception& e) {
        log(LogLevel::error, "reconcile.no_keys",
            {{"controller", worker.controller->name}, {"key", object.key().text()}, {"why", e.what()}});
    }
}

// New, gone, or with another generation than when it was last seen.
bool Manager::Impl::is_news_of_spec(Worker& worker, const Object& object) {
    const std::pair seen(object.uid(), object.generation());
    const ObjectPtr now = snapshot.find(object.key());
    if (!now || now->uid() != object.uid()) {
        worker.specs.erase(object.key());
        return true;
    }
    return std::exchange(worker.specs[object.key()], seen) != seen;
}

void Manager::Impl::enqueue(Worker& worker, const Key& key, bool at_once) {
    if (at_once) worker.queue.add(key);
    else worker.queue.add_at(key, clock.now() + worker.controller->batch);
    worker.wake.cancel();
}

void Manager::Impl::set_alarm(Worker& worker) {
    const std::optional<Time> due = worker.queue.next_due();
    if (!due || (worker.alarm && *worker.alarm <= *due)) return;
    worker.alarm = due;
    tasks.spawn("manager.alarm", alarm(worker, *due));
}

asio::awaitable<void> Manager::Impl::alarm(Worker& worker, Time at) {
    co_await clock.sleep_until(at);
    if (worker.alarm == at) worker.alarm.reset();
    worker.wake.cancel();
}

asio::awaitable<void> Manager::Impl::work(Worker& worker) {
    for (;;) {
        const std::optional<Key> key = synced() ? worker.queue.take(clock.now()) : std::nullopt;
        if (key) {
            co_await reconcile(worker, *key);
            continue;
        }
        set_alarm(worker);
        worker.wake.expires_at(asio::steady_timer::time_point::max());
        auto [ec] = co_await worker.wake.async_wait(asio::as_tuple(asio::use_awaitable));
        (void)ec;  // Cancelled means something to do, or the end.
        const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
        if (cancelled != asio::cancellation_type::none) co_return;
    }
}

asio::awaitable<std::optional<Error>> Manager::Impl::attempt(Worker& worker, Key key) {
    const Controller& controller = *worker.controller;
    Inputs inputs = options.inputs;
    inputs.now = clock.now();
    inputs.field_manager = controller.manager;
    if (const auto memory = worker.memories.find(key); memory != worker.memories.end())
        inputs.memory = memory->second;
    const Plan plan = controller.reconcile(snapshot, key, inputs);
    std::optional<Error> failure = co_await executor.run(controller, plan);
    if (!failure) {
        if (plan.memory.is_null()) worker.memories.erase(key);
        else worker.memories[key] = plan.memory;
    }
    if (!failure && !plan.failed.empty()) failure = Error{Reason::internal, plan.failed};
    if (plan.look_again_at) worker.queue.add_at(key, *plan.look_again_at);
    co_return failure;
}

asio::awaitable<void> Manager::Impl::reconcile(Worker& worker, Key key) {
    const Controller& controller = *worker.controller;
    std::optional<Error> failure;
    try {
        failure = co_await attempt(worker, key);
    } catch (const boost::system::system_error&) {
        throw;  // Cancelled.
    } catch (const std::exception& e) {
        // One object that a controller cannot stand must not end its work on all others.
        failure = Error{Reason::internal, e.what()};
        log(LogLevel::error, "reconcile.threw",
            {{"controller", controller.name}, {"key", key.text()}, {"why", e.what()}});
    }
    if (!failure) {
        worker.queue.succeeded(key);
        co_return;
    }
    log(LogLevel::info, "reconcile.retry",
        {{"controller", controller.name}, {"key", key.text()}, {"why", failure->message}});
    worker.queue.add_at(key, clock.now() + worker.queue.failed(key));
}

Manager::Manager(asio::any_io_executor executor, Client& client, Clock& clock, Options options)
    : impl_(std::make_unique<Impl>(std::move(executor), client, clock, std::move(options))) {}

Manager::~Manager() { stop(); }

void Manager::start() {
    Impl& m = *impl_;
    for (const Kind* kind : m.watched_kinds()) {
        Informer::Handlers handlers;
        handlers.put = [&m](const ObjectPtr& object) { m.put(object); };
        handlers.erase = [&m](const ObjectPtr& object) { m.erase(object); };
        handlers.synced = [&m] {
            ++m.informers_synced;
            for (const auto& worker : m.workers) worker->wake.cancel();
        };
        ListScope scope;
        scope.kind = kind;
        m.informers.push_back(std::make_unique<Informer>(m.client, m.clock, scope, handlers));
    }
    for (const auto& informer : m.informers) m.tasks.spawn("informer", informer->run());
    for (const auto& worker : m.workers)
        m.tasks.spawn("controller." + std::string(worker->controller->name), m.work(*worker));
}

bool Manager::synced() const { return impl_->synced(); }

void Manager::stop() { impl_->tasks.cancel(); }

}  // namespace shed
