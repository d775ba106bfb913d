#include "simulator/steps.hpp"
#include "simulator/why/diagnosis.hpp"
#include "simulator/why/pods.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

using State = Diagnosis::State;

Link link_to(const Object& object, std::string reason, std::string message) {
    return {std::string(object.kind().kind), object.name(), std::move(reason), std::move(message)};
}

// The condition that says how it ended, or that it is held back; null while it goes on.
const Json& telling_condition(const Object& object) {
    static const Json none;
    for (const char* type : {"Failed", "Complete", "Completed", "Suspended"})
        if (condition_true(object.dom(), type)) return condition_of(object.dom(), type);
    return none;
}

State state_of(const Object& trainjob) {
    const std::string type = string_at(telling_condition(trainjob), "type");
    if (type == "Failed") return State::failed;
    if (type == "Complete") return State::complete;
    if (type == "Suspended") return State::suspended;
    return State::running;
}

Link link_of(const Object& object, const std::vector<ObjectPtr>& events) {
    const Json& condition = telling_condition(object);
    if (condition.is_object())
        return link_to(object, string_at(condition, "reason"), string_at(condition, "message"));
    if (const Object* event = last_warning(object, events))
        return link_to(object, string_at(event->dom(), "reason"), string_at(event->dom(), "message"));
    return link_to(object, "", "no condition yet");
}

bool failed(const Object& object) { return condition_true(object.dom(), "Failed"); }

// The Job that failed first, and with it the rest.
ObjectPtr first_failed_job(const std::vector<ObjectPtr>& jobs) {
    ObjectPtr first;
    std::string since;
    for (const ObjectPtr& job : jobs) {
        const std::string time = string_at(condition_of(job->dom(), "Failed"), "lastTransitionTime");
        if (!failed(*job) || (first && time >= since)) continue;
        first = job;
        since = time;
    }
    return first;
}

std::string count_of(std::size_t count, const std::string& noun) {
    return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// "attempt 1 of 7" only where there was more than one.
std::string attempt_text(const FirstFailure& failure) {
    std::string text = "container " + failure.container + ": exit code " + std::to_string(failure.exit_code);
    if (failure.attempts > 1) text += ", the first of " + count_of(static_cast<std::size_t>(failure.attempts), "attempt");
    return text;
}

std::string reason_of(const FirstFailure& failure) {
    if (failure.out_of_memory) return "OOMKilled";
    return failure.exit_code == 137 ? "Killed" : "Error";
}

void add_failure(Diagnosis& diagnosis, const Evidence& evidence) {
    for (const ObjectPtr& jobset : evidence.jobsets)
        diagnosis.chain.push_back(link_of(*jobset, evidence.events));
    if (const ObjectPtr job = first_failed_job(evidence.jobs))
        diagnosis.chain.push_back(link_of(*job, evidence.events));
    if (!diagnosis.first_failure) return;
    const FirstFailure& failure = *diagnosis.first_failure;
    diagnosis.chain.push_back({"Pod", failure.pod, reason_of(failure),
                               attempt_text(failure)});
}

// A replicatedJob that has no Job yet waits for those it depends on.
void add_dependencies(Diagnosis& diagnosis, const Evidence& evidence) {
    for (const ObjectPtr& jobset : evidence.jobsets)
        for (const Json& group : at_path(jobset->dom(), "spec.replicatedJobs")) {
            const std::string name = string_at(group, "name");
            const bool made = std::any_of(evidence.jobs.begin(), evidence.jobs.end(), [&](const ObjectPtr& job) {
                return job->label("jobset.sigs.k8s.io/replicatedjob-name") == name;
            });
            if (made) continue;
            for (const Json& other : member(group, "dependsOn"))
                diagnosis.chain.push_back(link_to(*jobset, "WaitingForDependency",
                                                  name + " is made when " + string_at(other, "name") + " is " +
                                                      string_at(other, "status")));
        }
}

void add_waiting(Diagnosis& diagnosis, const Evidence& evidence) {
    constexpr std::size_t shown_max = 5;
    std::size_t waiting = 0, ready = 0;
    add_dependencies(diagnosis, evidence);
    for (const KnownPod& known : evidence.pods) {
        if (known.gone) continue;
        const auto wait = wait_of(*known.pod, evidence.events);
        if (!wait) {
            ++ready;
            continue;
        }
        if (++waiting <= shown_max) diagnosis.chain.push_back(link_to(*known.pod, wait->reason, wait->message));
        if (diagnosis.hint.empty()) diagnosis.hint = hint_for(wait->message);
    }
    if (waiting > shown_max)
        diagnosis.chain.push_back({"Pod", "...", "", "and " + std::to_string(waiting - shown_max) + " more"});
    const std::string& name = evidence.trainjob->name();
    if (evidence.jobsets.empty() || waiting > 0) diagnosis.state = State::waiting;
    if (evidence.jobsets.empty()) diagnosis.summary = "TrainJob " + name + " has no JobSet yet";
    else if (waiting > 0) diagnosis.summary = "TrainJob " + name + " waits for " + count_of(waiting, "pod");
    else diagnosis.summary = "TrainJob " + name + " is running: " + count_of(ready, "pod") + " ready, none waits";
}

// Complete, but not as the spec says: the event of the cluster's own watch.
void add_missing_ranks(Diagnosis& diagnosis, const Evidence& evidence) {
    const Object* event = last_warning(*evidence.trainjob, evidence.events);
    if (event == nullptr || string_at(event->dom(), "reason") != "RanksMissing") return;
    diagnosis.summary += ", but its ranks did not all run where its spec says";
    diagnosis.chain.push_back(
        link_to(*evidence.trainjob, "RanksMissing", string_at(event->dom(), "message")));
}

}  // namespace

std::string state_name(State state) {
    switch (state) {
        case State::failed: return "failed";
        case State::waiting: return "waiting";
        case State::running: return "running";
        case State::suspended: return "suspended";
        case State::complete: return "complete";
    }
    return "";
}

Diagnosis diagnose(const Evidence& evidence) {
    Diagnosis diagnosis;
    const Object& trainjob = *evidence.trainjob;
    diagnosis.state = state_of(trainjob);
    diagnosis.created = trainjob.creation_timestamp();
    diagnosis.first_failure = first_failure_of(evidence.pods);
    diagnosis.chain.push_back(link_of(trainjob, evidence.events));
    const std::string message = diagnosis.chain.front().message;
    switch (diagnosis.state) {
        case State::failed:
            diagnosis.summary = "TrainJob " + trainjob.name() + " failed: " + message;
            add_failure(diagnosis, evidence);
            break;
        case State::complete:
            diagnosis.summary = "TrainJob " + trainjob.name() + " is complete";
            if (diagnosis.first_failure) diagnosis.summary += ", though not at the first attempt";
            add_missing_ranks(diagnosis, evidence);
            break;
        case State::suspended:
            diagnosis.summary = "TrainJob " + trainjob.name() + " is suspended: " + message;
            diagnosis.hint = "kubectl patch trainjob " + trainjob.name() +
                             " --type=merge -p '{\"spec\":{\"suspend\":false}}' resumes it";
            break;
        default: add_waiting(diagnosis, evidence);
    }
    for (auto link = diagnosis.chain.rbegin(); link != diagnosis.chain.rend() && diagnosis.hint.empty(); ++link)
        diagnosis.hint = hint_for(link->reason + " " + link->message);
    return diagnosis;
}

}  // namespace shed
