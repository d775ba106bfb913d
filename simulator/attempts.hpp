#pragma once
// The attempts of a job's steps, as the cluster keeps them beyond the lives of pods.
#include "simulator/connection.hpp"
#include "simulator/why/diagnosis.hpp"

namespace shed {

// Every pod of the namespace with its containers' attempts, those that are gone first.
boost::asio::awaitable<Result<std::vector<KnownPod>>> fetch_attempts(Connection& cluster, std::string ns);
// Of GET .../attempts. Error: the answer has a pod that is none.
Result<std::vector<KnownPod>> known_pods_of(const Json& answer);

// Those that belong to a TrainJob, JobSet or Job of that name.
std::vector<KnownPod> pods_of_job(const std::vector<KnownPod>& pods, const std::string& job);

struct StepAttempt {
    std::string pod_uid, container;
    int number = 0;  // of this pod's container, from 0
};
// The attempts of a step's main container, in the order in which they ran.
std::vector<StepAttempt> attempts_of_step(const std::vector<KnownPod>& pods, const std::string& job,
                                          const std::string& step);
// Where the API server serves its log; more parameters can be appended with &.
std::string kept_log_path(const std::string& ns, const StepAttempt& attempt);

}  // namespace shed
