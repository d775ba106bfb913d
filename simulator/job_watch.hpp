#pragma once
// Follows what was created until it has ended: prints the steps' output as it comes, and warnings.
#include "fakes/apiserver/apiserver.hpp"
#include "fakes/client/client.hpp"
#include "fakes/net/tasks.hpp"
#include "simulator/terminal.hpp"

#include <boost/asio/steady_timer.hpp>
#include <set>

namespace shed {

class JobWatch {
public:
    JobWatch(boost::asio::any_io_executor executor, Client& client, PodLogs& logs,
             const Terminal& terminal, std::vector<Key> targets);

    // Returns when every target has ended and its output was printed. True when all succeeded.
    boost::asio::awaitable<bool> until_ended();
    // What is known of why a target failed, first cause last; empty when none did.
    std::vector<std::string> causes() const { return causes_; }

private:
    void look(const ObjectPtr& target);
    void look_at_pod(const ObjectPtr& pod);
    void warn(const Object& event);
    bool is_ours(const Object& pod) const;
    boost::asio::awaitable<void> follow(const Kind* kind, std::string ns);
    boost::asio::awaitable<void> print(PodLogs::Query query, std::string prefix);
    bool finish();

    boost::asio::any_io_executor executor_;
    Client& client_;
    PodLogs& logs_;
    const Terminal& terminal_;
    std::vector<Key> targets_;
    std::map<Key, bool> ended_;  // target: succeeded
    std::map<std::string, ObjectPtr> pods_;
    std::set<std::string> printed_;  // uid, container and attempt of logs that are printed
    std::set<std::string> warned_;
    std::vector<std::string> causes_;
    int printing_ = 0;
    boost::asio::steady_timer changed_;
    Tasks tasks_;
};

// Complete or Failed, as TrainJobs, JobSets (Completed), Jobs and Pods say it; nullopt: not yet.
std::optional<bool> outcome_of(const Object& target);

}  // namespace shed
