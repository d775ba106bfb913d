#pragma once
// Pods and what they refer to, for the tests of composition.
#include "fakes/kubelet/compose.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace shed::kubelet {

inline Json read_data(const std::string& name) {
    std::ifstream file(std::string(SHED_TEST_DATA) + "/" + name);
    std::stringstream text;
    text << file.rdbuf();
    return *parse_json(text.str());
}

inline PodPlace place_of(Json pod) {
    PodPlace place;
    place.pod = Object::make(std::move(pod));
    place.directory = "/state/pods/U";
    place.ip = "10.244.0.4";
    place.host_ip = "10.244.0.1";
    place.node = "n1";
    place.claims_directory = "/state/claims";
    place.node_allocatable = {{"cpu", "8"}, {"memory", "16Gi"}};
    return place;
}

inline Json a_pod(Json container = Json::object(), Json spec = Json::object()) {
    container["name"] = "c";
    spec["containers"] = Json::array({container});
    Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", spec}};
    pod["metadata"] = {{"name", "p"},
                       {"namespace", "ns"},
                       {"uid", "U"},
                       {"labels", {{"a/b", "1"}, {"z", "q\"t"}}}};
    return pod;
}

inline void add(Found& found, std::string kind, std::string name, Json data) {
    Json object = {{"apiVersion", "v1"},
                   {"kind", kind},
                   {"metadata", {{"name", name}, {"namespace", "ns"}}},
                   {"data", data}};
    const ObjectPtr made = Object::make(object);
    found.objects[made->key()] = made;
}

}  // namespace shed::kubelet
