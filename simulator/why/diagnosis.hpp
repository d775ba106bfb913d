#pragma once
// Why a TrainJob is where it is: the chain from the TrainJob down to what stopped it, and the first
// process that failed. Pure: decides from objects and attempts that others have fetched.
#include "fakes/kube/kube.hpp"

#include <optional>
#include <string>
#include <vector>

namespace shed {

// One run of one container of the job's pods, gone ones too. Numbers count from 0, as restartCount.
struct KnownAttempt {
    std::string container;
    int number = 0;
    bool ended = false;
    int exit_code = 0, signal = 0;
    Time finished{};
};
struct KnownPod {
    ObjectPtr pod;
    bool gone = false;  // deleted: this is how it was last
    std::vector<KnownAttempt> attempts;
};

struct Evidence {
    ObjectPtr trainjob;
    std::vector<ObjectPtr> jobsets, jobs;  // of this TrainJob
    std::vector<ObjectPtr> events;         // of its namespace
    std::vector<KnownPod> pods;            // of this TrainJob
};

struct Link {
    std::string kind, name, reason, message;
};

struct FirstFailure {
    Time time{};
    std::string pod_uid, pod, container, step;
    std::string program;  // of the container's command, without its path; empty: the image's own
    int attempt = 0;   // of this pod's container, from 0
    int attempts = 1;  // of the step, over all its pods
    int exit_code = 0;
    int signal = 0;           // 0: it ended by itself
    bool out_of_memory = false;  // over the limit of its container
    std::optional<int> rank;  // where the output tells
    std::string node;         // the host that mpirun names, where it does
    std::vector<std::string> log_tail;
    std::string hint;
};

struct Diagnosis {
    enum class State { failed, waiting, running, suspended, complete };
    State state = State::running;
    Time created{};           // the TrainJob
    std::string summary;      // one line
    std::vector<Link> chain;  // from the TrainJob down; the cause is last
    std::optional<FirstFailure> first_failure;
    std::string hint;  // where no process has failed
};

Diagnosis diagnose(const Evidence& evidence);

// Reads what the failed process printed: its rank, the signal, the lines to show, a hint.
// `log` is the end of that attempt's log.
void explain(FirstFailure& failure, const std::string& log);

// What to do about a message of Kubernetes, mpirun, ssh, torchrun or Python; "" when nothing known fits.
std::string hint_for(std::string_view text);
std::string hint_for_exit(int exit_code, int signal);

std::string state_name(Diagnosis::State state);  // "failed"

}  // namespace shed
