#pragma once
// YAML to JSON and back: manifests, apply bodies, the runtime snapshots. Guarded against alias bombs and deep nesting.
#include "fakes/kube/kube.hpp"

namespace shed {

Result<Json> parse_yaml(std::string_view text);  // the first document
Result<std::vector<Json>> parse_yaml_documents(std::string_view text);  // all of them, empty ones left out
// As sigs.k8s.io/yaml writes: keys sorted, lists not indented.
std::string dump_yaml(const Json& value);

}  // namespace shed
