#include "simulator/why/pods.hpp"

#include "simulator/steps.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

std::optional<Wait> waiting_container(const Object& pod) {
    for (const char* list : {"status.initContainerStatuses", "status.containerStatuses"})
        for (const Json& status : at_path(pod.dom(), list)) {
            const Json& waiting = at_path(status, "state.waiting");
            if (!waiting.is_object()) continue;
            return Wait{string_at(waiting, "reason"), string_at(waiting, "message")};
        }
    return std::nullopt;
}

// When the deletion was asked for: the timestamp is the time by which the pod has to be gone.
std::optional<Time> told_to_end(const Object& pod) {
    if (!pod.deleting()) return std::nullopt;
    const auto grace = int_at(pod.dom(), "metadata.deletionGracePeriodSeconds");
    return *pod.deletion_timestamp() - std::chrono::seconds(grace);
}

bool is_consequence(const KnownPod& known, const KnownAttempt& attempt) {
    const auto told = told_to_end(*known.pod);
    if (!told || attempt.finished < *told) return false;
    // Deletions are dated in whole seconds: within that second the exit code decides. sshd ends with
    // 255 when it is told to.
    const bool as_told = attempt.exit_code == 143 || attempt.exit_code == 137 || attempt.exit_code == 255;
    return as_told || attempt.finished >= *told + std::chrono::seconds(1);
}

std::string program_of(const Object& pod, const std::string& container) {
    for (const char* list : {"spec.initContainers", "spec.containers"})
        for (const Json& spec : at_path(pod.dom(), list)) {
            const Json& command = member(spec, "command");
            if (string_at(spec, "name") != container || command.empty() || !command[0].is_string()) continue;
            const auto path = command[0].get<std::string>();
            return path.substr(path.rfind('/') + 1);
        }
    return "";
}

int attempts_of_step(const std::vector<KnownPod>& pods, const std::string& step, bool launcher,
                     const std::string& container) {
    int count = 0;
    for (const KnownPod& known : pods) {
        if (step_name(*known.pod, launcher) != step) continue;
        for (const KnownAttempt& attempt : known.attempts)
            if (attempt.container == container) ++count;
    }
    return count;
}

}  // namespace

const Object* last_warning(const Object& about, const std::vector<ObjectPtr>& events) {
    const Object* last = nullptr;
    std::string latest;
    for (const ObjectPtr& event : events) {
        const Json& dom = event->dom();
        if (string_at(dom, "type") != "Warning" || string_at(dom, "involvedObject.uid") != about.uid()) continue;
        const std::string time = string_at(dom, "lastTimestamp", string_at(dom, "eventTime"));
        if (last != nullptr && time < latest) continue;
        last = event.get();
        latest = time;
    }
    return last;
}

std::optional<Wait> wait_of(const Object& pod, const std::vector<ObjectPtr>& events) {
    const std::string phase = string_at(pod.dom(), "status.phase");
    if (phase == "Succeeded" || phase == "Failed") return std::nullopt;
    const Json& scheduled = condition_of(pod.dom(), "PodScheduled");
    if (string_at(scheduled, "status") == "False")
        return Wait{string_at(scheduled, "reason"), string_at(scheduled, "message")};
    const Object* event = last_warning(pod, events);
    const std::string warning = event == nullptr ? "" : string_at(event->dom(), "message");
    if (auto wait = waiting_container(pod)) {
        if (wait->message.empty()) wait->message = warning;
        return wait;
    }
    if (phase != "Running") return Wait{phase.empty() ? "Pending" : phase, warning};
    if (condition_true(pod.dom(), "Ready")) return std::nullopt;
    return Wait{"NotReady", warning.empty() ? "its readiness probe has not passed yet" : warning};
}

namespace {

// The pod's status knows its last two runs.
bool was_oom_killed(const Json& pod, const KnownAttempt& attempt) {
    for (const Json& status : at_path(pod, "status.containerStatuses")) {
        if (string_at(status, "name") != attempt.container) continue;
        for (const char* state : {"state.terminated", "lastState.terminated"})
            if (string_at(at_path(status, state), "reason") == "OOMKilled" &&
                int_at(at_path(status, state), "exitCode") == attempt.exit_code)
                return true;
    }
    return false;
}

}  // namespace

std::optional<FirstFailure> first_failure_of(const std::vector<KnownPod>& pods) {
    std::vector<ObjectPtr> objects;
    for (const KnownPod& known : pods) objects.push_back(known.pod);
    const bool launcher = has_launcher(objects);
    std::optional<FirstFailure> first;
    for (const KnownPod& known : pods)
        for (const KnownAttempt& attempt : known.attempts) {
            if (!attempt.ended || attempt.exit_code == 0 || is_consequence(known, attempt)) continue;
            if (first && first->time <= attempt.finished) continue;
            first.emplace();
            first->time = attempt.finished;
            first->pod_uid = known.pod->uid();
            first->pod = known.pod->name();
            first->container = attempt.container;
            first->program = program_of(*known.pod, attempt.container);
            first->step = step_name(*known.pod, launcher);
            first->attempt = attempt.number;
            first->exit_code = attempt.exit_code;
            first->signal = attempt.signal;
            first->out_of_memory = was_oom_killed(known.pod->dom(), attempt);
            if (first->out_of_memory)
                first->hint = "it used more than its memory limit (resources.limits.memory): raise "
                              "it, or use less, for example smaller batches";
        }
    if (first) first->attempts = attempts_of_step(pods, first->step, launcher, first->container);
    return first;
}

}  // namespace shed
