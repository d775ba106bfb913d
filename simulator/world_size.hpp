#pragma once
// Watches that MPI jobs ran where their spec says. An mpirun that does not see its hostfile (Open MPI 5 ignores the
// variables that Trainer sets, kubeflow/trainer#4028) starts every rank in the launcher's pod and exits with 0: on a real
// cluster the TrainJob is Complete and nobody is told. Here it gets a Warning event.
#include "fakes/apiserver/apiserver.hpp"
#include "fakes/client/client.hpp"
#include "fakes/net/tasks.hpp"

#include <set>

namespace shed {

// ---- pure parts
struct HostSlots {
    std::string host;  // HOST.SUBDOMAIN
    int slots = 1;
};
std::vector<HostSlots> hosts_in(const std::string& hostfile);

// What the launcher was told to run; nullopt: no mpirun in it. ranks 0: as many as there are slots.
struct MpirunCall {
    int ranks = 0;
};
std::optional<MpirunCall> mpirun_call(const Object& launcher);

// The Warning's message when some of the hosts were never logged in to; "" when all is well. `reached`: hosts whose sshd
// accepted the job's key, or that are the launcher's own.
std::string missing_hosts_message(const std::vector<HostSlots>& hosts, const std::set<std::string>& reached,
                                  const MpirunCall& call);

class WorldSizeWatch {
public:
    WorldSizeWatch(boost::asio::any_io_executor executor, Client& client, Clock& clock, PodLogs& logs);
    boost::asio::awaitable<void> run();  // until cancelled

private:
    void look(const ObjectPtr& pod);
    boost::asio::awaitable<void> check(ObjectPtr launcher);
    boost::asio::awaitable<bool> was_reached(ObjectPtr worker);

    Client& client_;
    Clock& clock_;
    PodLogs& logs_;
    std::set<std::string> checked_;  // uids of launchers
    Tasks tasks_;
};

}  // namespace shed
