#pragma once
// What of this machine every pod sees, besides its image: a person asks for it, no manifest does.
#include <string>
#include <vector>

namespace shed {

struct HostMount {
    enum class Kind {
        read_only,
        read_write,
        cache,  // the pod reads it and may change what it sees; the original stays as it is
    };
    std::string source;  // absolute, without links
    std::string target;  // in the pod; "~/x" is x in the home of the container's user
    Kind kind = Kind::read_only;
    bool file = false;
    std::vector<std::string> left_out = {};  // of a cache: names in its top directory
};

// What pods may mount by hostPath volumes, with all that is below it.
struct AllowedHostPath {
    std::string path;  // absolute, without links
    bool writable = false;
};

}  // namespace shed
