#pragma once
// The objects of a manifest file, as kubectl reads them: YAML documents or JSON, Lists taken apart.
#include "fakes/kube/kube.hpp"

namespace shed {

// `file`: a path, or - for standard input. Namespaced objects without a namespace get "default".
// Errors name the file: it cannot be read, is no YAML, is empty, or has a kind this cluster does not serve.
Result<std::vector<Json>> read_manifest(const std::string& file);

}  // namespace shed
