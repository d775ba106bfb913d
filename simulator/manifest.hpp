#pragma once
// The objects of a manifest that `trainshed run` creates.
#include "fakes/kube/kube.hpp"

#include <string>
#include <vector>

namespace shed {

// All documents of `text`, lists taken apart, the namespace "default" where one is missing. Errors (bad_request) begin
// with `file`; what the API server refuses is left to it.
Result<std::vector<Json>> objects_of_manifest(const std::string& text, const std::string& file);

}  // namespace shed
