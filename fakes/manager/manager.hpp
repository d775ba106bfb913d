#pragma once
// Runs controllers: keeps one Snapshot current from watches, queues the keys that changed, turns each key into a Plan
// and carries the Plan out through Client. What a controller decides is in fakes/controllers; this only acts.
// One key of one controller is worked on at a time; a failure, also an exception, is retried after 5 ms, doubling to
// 1000 s.
#include "fakes/client/client.hpp"
#include "fakes/controllers/controllers.hpp"

#include <memory>
#include <string>
#include <vector>

namespace shed {

class Manager {
public:
    struct Options {
        std::vector<std::string> controllers = {};  // by name; empty means all
        Inputs inputs = {};                         // now and field_manager are filled in per reconcile
        std::vector<Controller> known = all_controllers();  // tests have some of their own
    };
    Manager(boost::asio::any_io_executor executor, Client& client, Clock& clock, Options options);
    ~Manager();

    void start();
    // True once every watched kind has been listed: from then on the snapshot is complete.
    bool synced() const;
    void stop();  // cancels everything; the io_context then runs empty

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace shed
