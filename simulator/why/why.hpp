#pragma once
// From a running cluster to a diagnosis, and from a diagnosis to JSON.
#include "simulator/connection.hpp"
#include "simulator/why/diagnosis.hpp"

#include <iosfwd>

namespace shed {

// Reads the job's objects, its pods' attempts and the log of the first that failed.
// Error not_found: there is no such TrainJob.
boost::asio::awaitable<Result<Diagnosis>> diagnose_job(Connection& cluster, std::string ns, std::string job);

// {state, summary, chain[{kind, name, reason, message}], first_failure{time, pod, rank, exit_code, signal,
// log_tail[], hint} or null, hint}
Json to_json(const Diagnosis& diagnosis);

// For a person: the chain, then the first failure with the end of its log, then what to do.
void print(const Diagnosis& diagnosis, std::ostream& out);

}  // namespace shed
