#pragma once
// The status of a scripted pod, member by member as the recordings have it.
#include "fakes/kube/kube.hpp"

#include <nlohmann/json.hpp>

namespace shed {

struct PlayedState {
    enum class Stage { creating, running, ended, backing_off } stage = Stage::creating;
    bool ready = false;
    bool pod_ended = false;  // the pod has come to its end, not only a container to one of its runs
    bool started = false;    // its containers ran at least once
    int exit_code = 0, restarts = 0;
    Time since{}, started_at{}, ended_at{};
    Json last_state = Json::object();
    std::string ip = {};

    // What `terminated` says of the run that ended.
    Json terminated(const std::string& container_id) const;
};

// The whole of status, from the pod as it is stored.
Json played_status(const Object& pod, const PlayedState& state, Time now);
std::string played_container_id(const Object& pod, const std::string& container, int run);

}  // namespace shed
