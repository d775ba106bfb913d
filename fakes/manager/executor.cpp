#include "fakes/manager/executor.hpp"

#include "fakes/manager/events.hpp"

#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

constexpr std::size_t recent_events_max = 4096;  // as client-go's event correlator

// Longer notes are cut, as the Trainer controller does; an Event takes 1024 characters.
constexpr std::size_t refusal_bytes_max = 950;

bool done_already(const Action& action, const Error& error) {
    if (std::holds_alternative<Create>(action)) return error.reason == Reason::already_exists;
    if (std::holds_alternative<Delete>(action)) return error.reason == Reason::not_found;
    if (const auto* patch = std::get_if<MergePatch>(&action))
        return patch->may_be_gone && error.reason == Reason::not_found;
    // An event is a courtesy: its failure never holds up work.
    return std::holds_alternative<EmitEvent>(action);
}

WriteOptions options_for(std::string manager, std::string subresource = {}, bool force = false) {
    WriteOptions options;
    options.manager = std::move(manager);
    options.subresource = std::move(subresource);
    options.force = force;
    return options;
}

}  // namespace

asio::awaitable<std::optional<Error>> PlanExecutor::run(const Controller& controller,
                                                        const Plan& plan) {
    std::optional<Error> failure = co_await run(std::string(controller.manager), plan.actions);
    std::optional<Error> later = co_await run(std::string(controller.manager), plan.regardless);
    co_return failure ? failure : later;
}

asio::awaitable<std::optional<Error>> PlanExecutor::run(std::string manager,
                                                        const std::vector<Action>& actions) {
    for (const Action& action : actions) {
        asio::awaitable<Result<ObjectPtr>> write =
            std::visit([&](const auto& a) { return act(a, manager); }, action);
        Result<ObjectPtr> result = co_await std::move(write);
        if (result) {
            // A deleted object that stays for a while is news; one that is gone is told by the watch.
            const bool deletion = std::holds_alternative<Delete>(action);
            if (!deletion || (*result && (*result)->deleting())) remember(*result);
            continue;
        }
        if (done_already(action, result.error())) continue;
        co_await complain(action, result.error(), manager);
        co_return result.error();
    }
    co_return std::nullopt;
}

asio::awaitable<void> PlanExecutor::complain(const Action& action, const Error& error,
                                             std::string manager) {
    std::optional<EmitEvent> event;
    if (const auto* create = std::get_if<Create>(&action)) event = create->refusal;
    if (const auto* apply = std::get_if<Apply>(&action)) event = apply->refusal;
    if (!event) co_return;
    const bool cut = error.message.size() > refusal_bytes_max;
    event->message += cut ? error.message.substr(0, refusal_bytes_max) + " ..." : error.message;
    (void)co_await act(*event, std::move(manager));
}

void PlanExecutor::remember(const ObjectPtr& object) {
    if (!object || object->kind().plural == "events") return;
    const ObjectPtr known = snapshot_.find(object->key());
    // Only a newer state of what we know: an unknown object may have been deleted meanwhile, and its watch event tells.
    if (known && known->uid() == object->uid() &&
        known->resource_version() < object->resource_version())
        snapshot_.put(object);
}

asio::awaitable<Result<ObjectPtr>> PlanExecutor::act(const Create& action, std::string manager) {
    WriteOptions options = options_for(std::move(manager));
    auto result = co_await client_.create(action.object, std::move(options));
    if (result && !snapshot_.find((*result)->key())) snapshot_.put(*result);
    co_return result;
}

asio::awaitable<Result<ObjectPtr>> PlanExecutor::act(const Apply& action, std::string manager) {
    const Kind& kind = kind_of(string_at(action.object, "apiVersion"), string_at(action.object, "kind"));
    Key key;
    key.kind = &kind;
    key.ns = string_at(action.object, "metadata.namespace");
    key.name = string_at(action.object, "metadata.name");
    WriteOptions options =
        options_for(action.manager.empty() ? std::move(manager) : action.manager, {}, true);
    auto result = co_await client_.patch(key, PatchType::apply, action.object, std::move(options));
    if (result && !snapshot_.find(key)) snapshot_.put(*result);
    co_return result;
}

asio::awaitable<Result<ObjectPtr>> PlanExecutor::act(const Update& action, std::string manager) {
    WriteOptions options = options_for(std::move(manager), action.subresource);
    co_return co_await client_.update(action.object, std::move(options));
}

asio::awaitable<Result<ObjectPtr>> PlanExecutor::act(const MergePatch& action, std::string manager) {
    WriteOptions options = options_for(std::move(manager), action.subresource);
    co_return co_await client_.patch(action.key, PatchType::merge, action.patch, std::move(options));
}

asio::awaitable<Result<ObjectPtr>> PlanExecutor::act(const Delete& action, std::string) {
    Json options = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
    if (!action.uid.empty()) options["preconditions"] = {{"uid", action.uid}};
    if (!action.propagation.empty()) options["propagationPolicy"] = action.propagation;
    if (action.grace_seconds) options["gracePeriodSeconds"] = *action.grace_seconds;
    co_return co_await client_.remove(action.key, std::move(options));
}

asio::awaitable<Result<ObjectPtr>> PlanExecutor::act(const Bind& action, std::string manager) {
    Json binding = {{"apiVersion", "v1"},
                    {"kind", "Binding"},
                    {"metadata", {{"name", action.pod.name}, {"namespace", action.pod.ns}}},
                    {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", action.node}}}};
    WriteOptions options = options_for(std::move(manager), "binding");
    auto bound = co_await client_.create(std::move(binding), std::move(options));
    if (bound) assume_bound(action);
    co_return bound;
}

// The node is taken from now on: the next pod may be scheduled before the watch tells of this one.
void PlanExecutor::assume_bound(const Bind& action) {
    const ObjectPtr pod = snapshot_.find(action.pod);
    if (!pod) return;
    Json assumed = pod->dom();
    assumed["spec"]["nodeName"] = action.node;
    snapshot_.put(Object::make(std::move(assumed)));
}

asio::awaitable<Result<ObjectPtr>> PlanExecutor::act(const EmitEvent& action, std::string manager) {
    const ObjectPtr about = snapshot_.find(action.about);
    if (!about) co_return ObjectPtr();
    const std::string identity = event_identity(action, *about);
    WriteOptions options = options_for(std::move(manager));
    if (const auto known = recent_events_.find(identity); known != recent_events_.end()) {
        Json repeat = repeat_event(known->second->dom(), clock_.now());
        const Key key = known->second->key();
        auto patched = co_await client_.patch(key, PatchType::merge, std::move(repeat), options);
        if (patched) {
            recent_events_[identity] = *patched;
            co_return patched;
        }
    }
    Json event = make_event(action, *about, clock_.now(), ++event_serial_);
    auto created = co_await client_.create(std::move(event), std::move(options));
    if (created && recent_events_.emplace(identity, *created).second) {
        recent_order_.push_back(identity);
        if (recent_order_.size() > recent_events_max) {
            recent_events_.erase(recent_order_.front());
            recent_order_.pop_front();
        }
    }
    co_return created;
}

}  // namespace shed
