#pragma once
// Carries out one Plan: each action is one write, in order, stopping at the first failure. What was written goes into
// the snapshot at once, so that the next reconcile sees it before the watch brings it back.
#include "fakes/client/client.hpp"
#include "fakes/controllers/controllers.hpp"

#include <deque>

namespace shed {

class PlanExecutor {
public:
    PlanExecutor(Client& client, Clock& clock, Snapshot& snapshot)
        : client_(client), clock_(clock), snapshot_(snapshot) {}

    // The error that stopped it, if any. AlreadyExists on a create and NotFound on a delete mean done.
    boost::asio::awaitable<std::optional<Error>> run(const Controller& controller, const Plan& plan);

private:
    boost::asio::awaitable<std::optional<Error>> run(std::string manager,
                                                     const std::vector<Action>& actions);
    boost::asio::awaitable<void> complain(const Action& action, const Error& error,
                                          std::string manager);
    boost::asio::awaitable<Result<ObjectPtr>> act(const Create& action, std::string manager);
    boost::asio::awaitable<Result<ObjectPtr>> act(const Apply& action, std::string manager);
    boost::asio::awaitable<Result<ObjectPtr>> act(const Update& action, std::string manager);
    boost::asio::awaitable<Result<ObjectPtr>> act(const MergePatch& action, std::string manager);
    boost::asio::awaitable<Result<ObjectPtr>> act(const Delete& action, std::string manager);
    boost::asio::awaitable<Result<ObjectPtr>> act(const Bind& action, std::string manager);
    boost::asio::awaitable<Result<ObjectPtr>> act(const EmitEvent& action, std::string manager);
    void remember(const ObjectPtr& object);
    void assume_bound(const Bind& action);

    Client& client_;
    Clock& clock_;
    Snapshot& snapshot_;
    // Recent events by identity, so that a repeat is counted rather than stored again.
    std::map<std::string, ObjectPtr> recent_events_;
    std::deque<std::string> recent_order_;
    std::uint64_t event_serial_ = 0;
};

}  // namespace shed
