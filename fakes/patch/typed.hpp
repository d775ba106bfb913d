#pragma once
// Server-side apply reads what it is given by a schema before it does anything else.
#include "fakes/kube/kube.hpp"

namespace shed {

// What of `applied` the schema of this kind does not have, in the words of the real server; empty
// when all is known.
std::string typed_problem(const Kind& kind, const Json& applied);

}  // namespace shed
