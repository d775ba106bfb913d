#include "tests/flow/played_status.hpp"

#include "fakes/base/rng.hpp"

#include <cstdio>

namespace shed {

namespace {

using Stage = PlayedState::Stage;

constexpr const char* host_ip = "172.18.0.2";

std::string hex_of(const std::string& seed) {
    std::string digits;
    Rng rng(hash_text(seed));
    for (int part = 0; part < 4; ++part) {
        char text[17];
        std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(rng.next()));
        digits += text;
    }
    return digits;
}

// As containerd writes references: with registry and tag.
std::string full_image(std::string image) {
    const auto slash = image.find('/');
    const std::string first = image.substr(0, slash);
    const bool registry = slash != std::string::npos &&
                          (first.find_first_of(".:") != std::string::npos || first == "localhost");
    if (!registry) image = (slash == std::string::npos ? "docker.io/library/" : "docker.io/") + image;
    const auto last = image.rfind('/');
    if (image.find(':', last) == std::string::npos && image.find('@') == std::string::npos)
        image += ":latest";
    return image;
}

std::string image_id(const std::string& image) {
    const std::string full = full_image(image);
    const auto tag = full.find(':', full.rfind('/'));
    return full.substr(0, tag) + "@sha256:" + hex_of(full);
}

Json condition(const Object& pod, const std::string& type, bool value, const std::string& reason,
               const std::string& message, Time now) {
    const Json& before = condition_of(pod.dom(), type);
    const std::string status = value ? "True" : "False";
    const bool kept = string_at(before, "status") == status;
    Json result = {{"type", type},
                   {"observedGeneration", pod.generation()},
                   {"status", status},
                   {"lastProbeTime", nullptr},
                   {"lastTransitionTime", kept ? string_at(before, "lastTransitionTime")
                                               : format_time(now)}};
    if (!reason.empty()) result["reason"] = reason;
    if (!message.empty()) result["message"] = message;
    return result;
}

const Json& containers_of(const Object& pod) { return at_path(pod.dom(), "spec.containers"); }

std::string names_of(const Object& pod) {
    std::string names;
    for (const Json& container : containers_of(pod))
        names += (names.empty() ? "" : " ") + string_at(container, "name");
    return "[" + names + "]";
}

Json conditions_of(const Object& pod, const PlayedState& state, Time now) {
    const bool succeeded = state.pod_ended && state.exit_code == 0;
    std::string reason, message;
    if (state.pod_ended) {
        reason = succeeded ? "PodCompleted" : "PodFailed";
    } else if (!state.ready) {
        reason = "ContainersNotReady";
        message = "containers with unready status: " + names_of(pod);
    }
    const bool sandbox = state.started && !state.pod_ended;
    const bool ready = state.ready && !state.pod_ended;
    Json list = Json::array();
    list.push_back(condition(pod, "PodReadyToStartContainers", sandbox, "", "", now));
    list.push_back(condition(pod, "Initialized", true, succeeded ? "PodCompleted" : "", "", now));
    for (const char* type : {"Ready", "ContainersReady"})
        list.push_back(condition(pod, type, ready, reason, message, now));
    if (const Json& scheduled = condition_of(pod.dom(), "PodScheduled"); !scheduled.is_null())
        list.push_back(scheduled);
    return list;
}

Json mounts_of(const Json& container) {
    Json mounts = Json::array();
    const Json& list = member(container, "volumeMounts");
    if (!list.is_array()) return mounts;
    for (const Json& mount : list) {
        Json shown = {{"name", member(mount, "name")}, {"mountPath", member(mount, "mountPath")}};
        if (bool_at(mount, "readOnly")) {
            shown["readOnly"] = true;
            shown["recursiveReadOnly"] = "Disabled";
        }
        mounts.push_back(std::move(shown));
    }
    return mounts;
}

Json container_state(const Object& pod, const Json& container, const PlayedState& state) {
    const std::string name = string_at(container, "name");
    if (state.stage == Stage::creating) return {{"waiting", {{"reason", "ContainerCreating"}}}};
    if (state.stage == Stage::running)
        return {{"running", {{"startedAt", format_time(state.started_at)}}}};
    if (state.stage == Stage::backing_off)
        return {{"waiting",
                 {{"reason", "CrashLoopBackOff"},
                  {"message", "back-off 10s restarting failed container=" + name +
                                  " pod=" + pod.name() + "_" + pod.ns() + "(" + pod.uid() + ")"}}}};
    if (!state.started)
        return {{"terminated",
                 {{"exitCode", 137},
                  {"reason", "ContainerStatusUnknown"},
                  {"message", "The container could not be located when the pod was terminated"},
                  {"startedAt", nullptr},
                  {"finishedAt", nullptr}}}};
    return {{"terminated", state.terminated(played_container_id(pod, name, state.restarts))}};
}

Json container_status(const Object& pod, const Json& container, const PlayedState& state) {
    const std::string name = string_at(container, "name"), image = string_at(container, "image");
    const bool running = state.stage == Stage::running;
    Json status = {{"name", name},
                   {"state", container_state(pod, container, state)},
                   {"lastState", state.pod_ended ? Json::object() : state.last_state},
                   {"ready", running && state.ready},
                   {"restartCount", state.restarts},
                   {"image", image},
                   {"imageID", ""},
                   {"started", running}};
    if (Json mounts = mounts_of(container); !mounts.empty()) status["volumeMounts"] = mounts;
    if (state.stage == Stage::creating) return status;
    status["image"] = full_image(image);
    status["imageID"] = image_id(image);
    status["containerID"] = played_container_id(pod, name, state.restarts);
    if (!running) return status;
    const Json& resources = member(container, "resources");
    status["resources"] = resources.is_object() ? resources : Json::object();
    if (const Json& requests = member(resources, "requests"); requests.is_object())
        status["allocatedResources"] = requests;
    return status;
}

}  // namespace

Json PlayedState::terminated(const std::string& container_id) const {
    return {{"exitCode", exit_code},
            {"reason", exit_code == 0 ? "Completed" : "Error"},
            {"startedAt", format_time(started_at)},
            {"finishedAt", format_time(ended_at)},
            {"containerID", container_id}};
}

std::string played_container_id(const Object& pod, const std::string& container, int run) {
    return "containerd://" + hex_of(pod.uid() + "/" + container + "/" + std::to_string(run));
}

Json played_status(const Object& pod, const PlayedState& state, Time now) {
    Json status = at_path(pod.dom(), "status");
    status["observedGeneration"] = pod.generation();
    status["phase"] = !state.pod_ended   ? (state.started ? "Running" : "Pending")
                      : state.exit_code == 0 ? "Succeeded"
                                             : "Failed";
    status["conditions"] = conditions_of(pod, state, now);
    status["hostIP"] = host_ip;
    status["hostIPs"] = Json::array({{{"ip", host_ip}}});
    status["startTime"] = format_time(state.since);
    if (!state.ip.empty()) {
        status["podIP"] = state.ip;
        status["podIPs"] = Json::array({{{"ip", state.ip}}});
    }
    status["containerStatuses"] = Json::array();
    for (const Json& container : containers_of(pod))
        status["containerStatuses"].push_back(container_status(pod, container, state));
    return status;
}

}  // namespace shed
