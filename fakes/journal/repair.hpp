#pragma once
// What can be saved of a store that is refused as corrupt.
#include "fakes/kube/kube.hpp"

#include <string>

namespace shed {

struct Repaired {
    std::size_t kept = 0;  // objects
    std::size_t damaged =
        0;  // rows that were found and are not whole; more may be gone without trace
    ResourceVersion version = 0;
    std::string aside;  // where the old file is now
};

// Puts a new file with every whole object at `path`; the old one stays beside it as PATH.damaged.
// resourceVersions go on a million above the highest that was found: later ones may be lost.
// Errors: a file of that name is there already; the old one cannot be read at all.
Result<Repaired> repair_store(const std::string& path);

}  // namespace shed
