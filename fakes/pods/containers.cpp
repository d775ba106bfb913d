#include "fakes/pods/machine.hpp"

#include <algorithm>

namespace shed::pods {

using Activity = PodContainer::Activity;
using Role = PodContainer::Role;
using Kind = ContainerState::Kind;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr Duration back_off_least = seconds(10), back_off_most = minutes(5),
                   back_off_forgotten = minutes(10);
constexpr Duration config_retry = seconds(10), pull_retell = seconds(1);

Duration longer(Duration back_off) {
    return std::clamp(back_off * 2, back_off_least, back_off_most);
}

std::string seconds_text(Duration duration) {
    const auto whole = std::chrono::duration_cast<seconds>(duration).count();
    if (whole < 60) return std::to_string(whole) + "s";
    return std::to_string(whole / 60) + "m" + std::to_string(whole % 60) + "s";
}

std::string duration_text(Duration duration) {
    const auto milli = std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
    if (milli < 1000) return std::to_string(milli) + "ms";
    std::string fraction = std::to_string(milli % 1000);
    fraction.insert(0, 3 - fraction.size(), '0');
    return std::to_string(milli / 1000) + "." + fraction + "s";
}

}  // namespace

std::string full_name(const PodState& pod) { return pod.name + "_" + pod.ns + "(" + pod.uid + ")"; }

void set_waiting(PodContainer& container, std::string reason, std::string message) {
    if (container.state.kind == Kind::terminated) container.last_state = container.state;
    container.state = {};
    container.state.reason = std::move(reason);
    container.state.message = std::move(message);
}

bool will_restart(const PodContainer& container) {
    if (container.state.kind != Kind::terminated) return true;
    const auto applies = [&](const RestartRule& rule) {
        return rule.in == (std::count(rule.codes.begin(), rule.codes.end(),
                                      container.state.exit_code) > 0);
    };
    if (std::any_of(container.rules.begin(), container.rules.end(), applies)) return true;
    switch (container.restart) {
        case RestartPolicy::always:
            return true;
        case RestartPolicy::on_failure:
            return container.state.exit_code != 0;
        case RestartPolicy::never:
            return false;
    }
    return false;
}

// Init containers one after another; a sidecar holds up the next only until it has started once,
// and any container until its postStart hook has ended.
void Machine::start_due_containers() {
    for (PodContainer& container : pod.containers) {
        const bool passed = container.role == Role::app ||
                            (container.role == Role::init && !will_restart(container)) ||
                            (container.role == Role::sidecar && container.started);
        start_if_due(container);
        const bool hook_ahead = container.activity == Activity::post_start ||
                                (container.activity == Activity::starting && container.post_start);
        if (hook_ahead) return;
        const bool app_has_run = pod.containers.back().started_once;
        if (!passed && !(container.role == Role::sidecar && app_has_run)) return;
    }
}

bool Machine::start_if_due(PodContainer& container) {
    if (container.activity != Activity::idle || !will_restart(container) ||
        now < container.start_after)
        return false;
    container.activity = Activity::starting;
    container.start_sent = now;
    container.pull_retold_at.reset();
    if (container.pull_policy == "Always")
        tell("Normal", "Pulling", "Pulling image \"" + container.image + "\"", container.name);
    const int attempt = container.started_once ? container.restart_count + 1 : 0;
    commands.push_back(pod_command::Start{container.name, attempt});
    return true;
}

void Machine::on(const pod_event::Started& event) {
    PodContainer* container = pod.find(event.container);
    if (container == nullptr || container->activity != Activity::starting) return;
    container->started_once = true;
    container->restart_count = event.attempt;
    container->container_id = event.container_id;
    container->image_id = event.image_id;
    container->pull_back_off = {};
    container->pull_error.clear();
    container->run_began = event.at;
    const std::string took = duration_text(now - container->start_sent);
    tell("Normal", "Pulled",
         container->pull_policy == "Always"
             ? "Successfully pulled image \"" + container->image + "\" in " + took + " (" + took +
                   " including waiting). Image size: 0 bytes."
             : "Container image \"" + container->image + "\" already present on machine",
         container->name);
    tell("Normal", "Created", "Container created", container->name);
    tell("Normal", "Started", "Container started", container->name);
    if (!container->post_start || ending(pod)) return run_began(*container);
    container->activity = Activity::post_start;
    commands.push_back(pod_command::Hook{container->name, event.attempt, HookKind::post_start,
                                         *container->post_start});
}

void Machine::run_began(PodContainer& container) {
    if (container.state.kind == Kind::terminated) container.last_state = container.state;
    container.activity = Activity::running;
    container.state = {};
    container.state.kind = Kind::running;
    container.state.started = container.run_began;
    container.state.container_id = container.container_id;
    container.state.attempt = container.restart_count;
    begin_probes(container);
}

void Machine::on(const pod_event::StartFailed& event) {
    PodContainer* container = pod.find(event.container);
    if (container == nullptr || container->activity != Activity::starting) return;
    container->activity = Activity::idle;
    if (event.reason == "StartError") return start_error(*container, event.message);
    if (event.reason == "CreateContainerConfigError") {
        set_waiting(*container, event.reason, event.message);
        container->start_after = now + config_retry;
        tell("Warning", "Failed", "Error: " + event.message, container->name);
        return;
    }
    pull_failed(*container, event.reason, event.message);
}

// The container was made but its command could not be run: this counts as a run that ended with
// 128.
void Machine::start_error(PodContainer& container, const std::string& message) {
    tell("Warning", "Failed", "Error: " + message, container.name);
    container.restart_count = container.started_once ? container.restart_count + 1 : 0;
    container.started_once = true;
    ContainerState last;
    last.kind = Kind::terminated;
    last.reason = "StartError";
    last.message = message;
    last.exit_code = 128;
    last.finished = now;
    last.attempt = container.restart_count;
    exited(container, std::move(last));
}

void Machine::pull_failed(PodContainer& container, const std::string& reason,
                          const std::string& message) {
    container.pull_back_off = longer(container.pull_back_off);
    container.start_after = now + container.pull_back_off;
    container.pull_retold_at = now + pull_retell;
    container.pull_error = reason + ": " + message;
    set_waiting(container, reason, message);
    tell("Warning", "Failed", "Failed to pull image \"" + container.image + "\": " + message,
         container.name);
    tell("Warning", "Failed", "Error: " + reason, container.name);
}

void Machine::retell_pull_failures() {
    for (PodContainer& container : pod.containers) {
        if (!container.pull_retold_at || now < *container.pull_retold_at) continue;
        container.pull_retold_at.reset();
        const std::string message = "Back-off pulling image \"" + container.image + "\"";
        set_waiting(container, "ImagePullBackOff", message + ": " + container.pull_error);
        tell("Normal", "BackOff", message, container.name);
        tell("Warning", "Failed", "Error: ImagePullBackOff", container.name);
    }
}

void Machine::on(const pod_event::Exited& event) {
    PodContainer* container = pod.find(event.container);
    if (container == nullptr || container->activity == Activity::idle ||
        event.attempt != container->restart_count)
        return;
    if (container->activity == Activity::starting) return;  // a leftover of the previous attempt
    ContainerState last;
    last.kind = Kind::terminated;
    last.exit_code = event.code;
    last.reason = event.oom_killed ? "OOMKilled" : event.code == 0 ? "Completed" : "Error";
    last.message = event.message;
    last.started = container->run_began;
    last.finished = event.finished;
    last.container_id = container->container_id;
    last.attempt = event.attempt;
    if (container->activity == Activity::post_start)
        tell("Warning", "FailedPostStartHook", "PostStartHook failed", container->name);
    exited(*container, std::move(last));
}

// The first restart comes at once; from the second crash on the container waits 10 s, 20 s, ... up
// to 5 minutes. A run of more than 10 minutes makes the kubelet forget.
void Machine::exited(PodContainer& container, ContainerState last) {
    const Duration ran = last.finished - last.started;
    container.activity = Activity::idle;
    container.ready = container.started = false;
    container.progress = {};
    container.stopping = {};
    if (container.state.kind == Kind::terminated) container.last_state = container.state;
    container.state = std::move(last);
    if (ending(pod) || !will_restart(container)) return;
    const bool forgotten = container.state.started != Time{} && ran > back_off_forgotten;
    const Duration wait = forgotten ? Duration{} : container.back_off;
    container.back_off = longer(wait);
    container.start_after = container.state.finished + wait;
    if (container.start_after <= now) return;
    const std::string name = container.name, where = full_name(pod);
    set_waiting(container, "CrashLoopBackOff",
                "back-off " + seconds_text(wait) + " restarting failed container=" + name +
                    " pod=" + where);
    tell("Warning", "BackOff", "Back-off restarting failed container " + name + " in pod " + where,
         name);
}

}  // namespace shed::pods
