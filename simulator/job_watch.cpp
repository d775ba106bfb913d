#include "simulator/job_watch.hpp"

#include "fakes/client/informer.hpp"
#include "simulator/steps.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

namespace asio = boost::asio;

namespace shed {

namespace {

const Kind& pods_kind() { return kind_of("v1", "Pod"); }

void print_lines(const std::string& text, const std::string& prefix) {
    if (prefix.empty()) {
        std::cout << text << std::flush;
        return;
    }
    std::size_t begin = 0;
    while (begin < text.size()) {
        const std::size_t end = std::min(text.find('\n', begin), text.size() - 1) + 1;
        std::cout << prefix << text.substr(begin, end - begin);
        begin = end;
    }
    std::cout << std::flush;
}

std::string message_of(const Object& target) {
    for (const char* type : {"Failed", "FailureTarget"})
        if (const Json& condition = condition_of(target.dom(), type); condition.is_object())
            return string_at(condition, "reason") + ": " + string_at(condition, "message");
    return string_at(target.dom(), "status.reason") + string_at(target.dom(), "status.message");
}

}  // namespace

std::optional<bool> outcome_of(const Object& target) {
    if (&target.kind() == &pods_kind()) {
        const std::string phase = string_at(target.dom(), "status.phase");
        if (phase == "Succeeded") return true;
        if (phase == "Failed") return false;
        return std::nullopt;
    }
    if (condition_true(target.dom(), "Complete") || condition_true(target.dom(), "Completed"))
        return true;
    if (condition_true(target.dom(), "Failed")) return false;
    return std::nullopt;
}

JobWatch::JobWatch(asio::any_io_executor executor, Client& client, PodLogs& logs,
                   const Terminal& terminal, std::vector<Key> targets)
    : executor_(executor),
      client_(client),
      logs_(logs),
      terminal_(terminal),
      targets_(std::move(targets)),
      changed_(executor, asio::steady_timer::time_point::max()),
      tasks_(executor) {}

bool JobWatch::is_ours(const Object& pod) const {
    for (const Key& target : targets_) {
        if (target.ns != pod.ns()) continue;
        if (target.kind == &pods_kind() && target.name == pod.name()) return true;
        if (pod.label("jobset.sigs.k8s.io/jobset-name") == target.name) return true;
        if (target.kind->plural == "jobs" && pod.label("job-name") == target.name) return true;
    }
    return false;
}

void JobWatch::look(const ObjectPtr& target) {
    for (const Key& key : targets_) {
        if (key != target->key() || ended_.contains(key)) continue;
        const auto outcome = outcome_of(*target);
        if (!outcome) return;
        ended_[key] = *outcome;
        // `why` has more to say of a TrainJob.
        if (!*outcome && key.kind->plural != "trainjobs")
            causes_.push_back(std::string(key.kind->kind) + " " + key.name + " failed: " +
                              message_of(*target));
        changed_.cancel();
    }
}

// The launcher's log holds all ranks' output; without one every node's is shown under its name.
void JobWatch::look_at_pod(const ObjectPtr& pod) {
    if (!is_ours(*pod)) return;
    pods_[pod->uid()] = pod;
    std::vector<ObjectPtr> all;
    for (const auto& [uid, known] : pods_) all.push_back(known);
    const std::vector<Step> steps = steps_of(all);
    for (const Step& step : steps) {
        if (step.pod->uid() != pod->uid()) continue;
        if (serves_a_launcher(*pod)) return;
        const std::string container = main_container(*pod);
        if (!has_started(*pod, container)) return;
        PodLogs::Query query;
        query.pod = pod;
        query.container = container;
        query.attempt = attempt_of(*pod, container);
        query.follow = true;
        const std::string id =
            pod->uid() + "/" + container + "/" + std::to_string(query.attempt);
        if (!printed_.insert(id).second) return;
        const bool alone = step.name == "node-0" && (has_launcher(all) || steps.size() == 1);
        ++printing_;
        tasks_.spawn("run.log", print(std::move(query), alone ? "" : "[" + step.name + "] "));
        return;
    }
}

asio::awaitable<void> JobWatch::print(PodLogs::Query query, std::string prefix) {
    const std::unique_ptr<PodLogs::Stream> stream = logs_.open(query);
    for (;;) {
        const auto text = co_await stream->read();
        if (!text || text->empty()) break;
        print_lines(*text, prefix);
    }
    --printing_;
    changed_.cancel();
}

void JobWatch::warn(const Object& event) {
    if (string_at(event.dom(), "type") != "Warning") return;
    const std::string text = string_at(event.dom(), "involvedObject.kind") + " " +
                             string_at(event.dom(), "involvedObject.name") + ": " +
                             string_at(event.dom(), "message");
    if (warned_.insert(text).second) terminal_.warn(string_at(event.dom(), "reason"), text);
}

asio::awaitable<void> JobWatch::follow(const Kind* kind, std::string ns) {
    Informer::Handlers handlers;
    handlers.put = [this](const ObjectPtr& object) {
        if (&object->kind() == &pods_kind()) look_at_pod(object);
        if (object->kind().plural == "events") warn(*object);
        look(object);
    };
    handlers.erase = [this](const ObjectPtr& object) {
        if (std::find(targets_.begin(), targets_.end(), object->key()) == targets_.end()) return;
        causes_.push_back(object->key().text() + " was deleted");
        ended_.try_emplace(object->key(), false);
        changed_.cancel();
    };
    ListScope scope;
    scope.kind = kind;
    scope.ns = std::move(ns);
    SystemClock clock;
    Informer informer(client_, clock, scope, handlers);
    co_await informer.run();
}

bool JobWatch::finish() {
    bool all = ended_.size() == targets_.size();
    for (const auto& [key, good] : ended_) all = all && good;
    const bool explained = std::any_of(targets_.begin(), targets_.end(), [](const Key& target) {
        return target.kind->plural == "trainjobs";
    });
    if (explained) return all;
    for (const auto& [uid, pod] : pods_) {
        const std::string why = failure_of(*pod, main_container(*pod));
        if (!all && !why.empty()) causes_.push_back("Pod " + pod->name() + ": " + why);
    }
    return all;
}

asio::awaitable<bool> JobWatch::until_ended() {
    std::set<std::pair<const Kind*, std::string>> scopes;
    for (const Key& target : targets_) {
        scopes.emplace(target.kind, target.ns);
        scopes.emplace(&pods_kind(), target.ns);
        scopes.emplace(&kind_of("v1", "Event"), target.ns);
    }
    for (const auto& [kind, ns] : scopes) tasks_.spawn("run.watch", follow(kind, ns));
    while (ended_.size() < targets_.size() || printing_ > 0) {
        changed_.expires_at(asio::steady_timer::time_point::max());
        auto [ec] = co_await changed_.async_wait(asio::as_tuple(asio::use_awaitable));
        (void)ec;
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) break;
    }
    co_await tasks_.end();  // They use this object: none may outlive it.
    co_return finish();
}

}  // namespace shed
