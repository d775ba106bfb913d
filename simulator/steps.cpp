#include "simulator/steps.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

const Json& container_status(const Object& pod, const std::string& container) {
    static const Json none;
    const Json& list = at_path(pod.dom(), "status.containerStatuses");
    if (!list.is_array()) return none;
    for (const Json& status : list)
        if (string_at(status, "name") == container) return status;
    return none;
}

}  // namespace

bool has_launcher(const std::vector<ObjectPtr>& pods) {
    return std::any_of(pods.begin(), pods.end(), [](const ObjectPtr& pod) {
        return pod->label("jobset.sigs.k8s.io/replicatedjob-name") == "launcher";
    });
}

bool serves_a_launcher(const Object& pod) {
    const Json& containers = at_path(pod.dom(), "spec.containers");
    if (!containers.is_array() || containers.empty()) return false;
    const Json& command = member(containers[0], "command");
    return command.is_array() && !command.empty() && command[0].is_string() &&
           command[0].get_ref<const std::string&>().ends_with("/sshd");
}

std::string step_name(const Object& pod, bool with_launcher) {
    const std::string job(pod.label("jobset.sigs.k8s.io/replicatedjob-name"));
    const std::string index(pod.label("batch.kubernetes.io/job-completion-index"));
    if (job == "launcher") return "node-0";
    if (job != "node" && !job.empty()) return job;
    const long number = std::strtol(index.c_str(), nullptr, 10);
    return "node-" + std::to_string(number + (with_launcher ? 1 : 0));
}

std::vector<Step> steps_of(const std::vector<ObjectPtr>& pods) {
    const bool launcher = has_launcher(pods);
    std::map<std::string, ObjectPtr> newest;
    for (const ObjectPtr& pod : pods) {
        ObjectPtr& known = newest[step_name(*pod, launcher)];
        if (!known || known->creation_timestamp() <= pod->creation_timestamp()) known = pod;
    }
    std::vector<Step> steps;
    for (auto& [name, pod] : newest) steps.push_back({name, pod});
    return steps;
}

std::string main_container(const Object& pod) {
    const Json& annotations = at_path(pod.dom(), "metadata.annotations");
    const Json& named = member(annotations, "kubectl.kubernetes.io/default-container");
    if (named.is_string()) return named.get<std::string>();
    const Json& containers = at_path(pod.dom(), "spec.containers");
    return containers.is_array() && !containers.empty() ? string_at(containers[0], "name") : "";
}

int attempt_of(const Object& pod, const std::string& container) {
    return static_cast<int>(int_at(container_status(pod, container), "restartCount"));
}

bool has_started(const Object& pod, const std::string& container) {
    const Json& state = member(container_status(pod, container), "state");
    return member(state, "running").is_object() || member(state, "terminated").is_object();
}

std::string failure_of(const Object& pod, const std::string& container) {
    const Json& status = container_status(pod, container);
    for (const char* where : {"state.terminated", "lastState.terminated"}) {
        const Json& ended = at_path(status, where);
        if (!ended.is_object() || int_at(ended, "exitCode") == 0) continue;
        return "exit code " + std::to_string(int_at(ended, "exitCode")) + " (" +
               string_at(ended, "reason", "Error") + ")";
    }
    return string_at(status, "state.waiting.message");
}

}  // namespace shed
