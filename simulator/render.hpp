#pragma once
// What a manifest becomes, without running it: the control plane and a kubelet on paper make the objects, and
// anything that only a running cluster could know is left out.
#include "fakes/kube/kube.hpp"

namespace shed {

struct Rendering {
    std::vector<Json> objects;          // in the order they were made; the data of Secrets hidden
    std::vector<std::string> warnings;  // events of type Warning: "Pod x: FailedScheduling: ..."
};

// Objects that another waits for until they are complete (initializers) end well after a second, all others run on.
// Error: an object was refused, as the API server would.
Result<Rendering> render(const std::vector<Json>& manifest);

}  // namespace shed
