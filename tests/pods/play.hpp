#pragma once
// Plays the kubelet and the clock for a pod's state machine.
#include "fakes/pods/pods.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace shed {

inline const Time noon = *parse_time("2026-11-23T12:00:00Z");

inline Json a_pod(std::string restart_policy = "OnFailure") {
    return {{"apiVersion", "v1"},
            {"kind", "Pod"},
            {"metadata", {{"name", "p"}, {"namespace", "ns"}, {"uid", "u-1"}, {"generation", 1}}},
            {"spec",
             {{"restartPolicy", restart_policy},
              {"containers",
               Json::array(
                   {{{"name", "node"}, {"image", "img"}, {"imagePullPolicy", "IfNotPresent"}}})}}}};
}

// Plays the kubelet and the clock: keeps the state, collects commands as short text.
class Play {
public:
    explicit Play(Json pod, PodTiming timing = {})
        : dom(std::move(pod)), state(*first_state(*Object::make(dom), noon, timing)) {}

    std::vector<std::string> send(const PodEvent& event, Duration later = {}) {
        now += later;
        PodStep step = next(std::move(state), event, now);
        state = std::move(step.state);
        look = step.look_again_at;
        events.clear();
        std::vector<std::string> said;
        for (const PodCommand& command : step.commands)
            std::visit([&](const auto& c) { note(c, said); }, command);
        return said;
    }
    std::vector<std::string> tick(Duration later) { return send(pod_event::Tick{}, later); }
    std::vector<std::string> to_sandbox() {
        send(pod_event::Tick{});
        return send(pod_event::SandboxReady{"10.244.0.7"});
    }
    std::vector<std::string> started(std::string name = "node", int attempt = 0) {
        return send(pod_event::Started{name, attempt, "containerd://c" + std::to_string(attempt),
                                       "img@sha256:0", now});
    }
    void run() {
        to_sandbox();
        started();
    }
    std::vector<std::string> exit(int code, int attempt = 0,
                                  Duration after = std::chrono::seconds(1),
                                  std::string name = "node") {
        now += after;
        return send(pod_event::Exited{name, attempt, code, now});
    }
    std::vector<std::string> hook_ended(HookKind kind, bool ok, Duration took = {},
                                        std::string name = "node", int attempt = 0) {
        now += took;
        return send(pod_event::HookEnded{name, attempt, kind, ok, took, ok ? "" : "why"});
    }
    Json status() const { return pod_status(state, dom, "172.18.0.2"); }
    std::string reason() const {
        return string_at(status()["containerStatuses"][0]["state"], "waiting.reason");
    }

    Json dom;
    PodState state;
    Time now = noon;
    std::optional<Time> look;
    std::vector<std::string> events;

private:
    void note(const pod_command::Prepare&, std::vector<std::string>& said) {
        said.push_back("prepare");
    }
    void note(const pod_command::Start& c, std::vector<std::string>& said) {
        said.push_back("start " + c.container + " " + std::to_string(c.attempt));
    }
    void note(const pod_command::Stop& c, std::vector<std::string>& said) {
        said.push_back("stop " + c.container + " " +
                       std::to_string(c.grace / std::chrono::seconds(1)));
    }
    void note(const pod_command::Probe& c, std::vector<std::string>& said) {
        said.push_back(std::string(probe_name(c.kind)) + " " + c.container);
    }
    void note(const pod_command::Hook& c, std::vector<std::string>& said) {
        said.push_back((c.kind == HookKind::pre_stop ? "preStop " : "postStart ") + c.container);
    }
    void note(const pod_command::RemoveSandbox&, std::vector<std::string>& said) {
        said.push_back("remove");
    }
    void note(const pod_command::DeletePod&, std::vector<std::string>& said) {
        said.push_back("delete");
    }
    void note(const pod_command::Tell& c, std::vector<std::string>&) {
        events.push_back(c.reason + ": " + c.message);
    }
};

}  // namespace shed
