#pragma once
// A cache of this machine as a pod may use it. Programs lock and update files in their caches, so a
// read-only one fails; and the files belong to someone who is nobody in the pod. So the pod gets a
// tree of its own: directories and small files are copies, larger files are links to the original.
#include "fakes/podinit/spec.hpp"

namespace shed::podinit {

struct CacheView {
    std::string root;      // of the pod, as seen now
    std::string original;  // in the pod, read-only
    std::string view;      // in the pod, a directory of its user
    long uid = 0, gid = 0;
    bool single = false;
    std::vector<std::string> left_out;  // names in the top directory
};

// "" or what failed. What the pod's user may not read is left out, too.
std::string make_cache_view(const CacheView& cache);

}  // namespace shed::podinit
