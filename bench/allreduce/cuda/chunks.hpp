// How a transfer is cut so that copying one part overlaps reducing another.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace allreduce {

struct Chunk {
    std::size_t first = 0, count = 0;  // elements
};

// As equal as can be, in order, together all `count` elements; none is longer than `bytes_max`. Two
// at least where that leaves each `bytes_min`: one chunk overlaps nothing, and small ones cost more
// in calls than they save.
inline std::vector<Chunk> chunks(std::size_t count, std::size_t element_bytes,
                                 std::size_t bytes_min, std::size_t bytes_max) {
    const std::size_t bytes = count * element_bytes;
    std::size_t parts = (bytes + bytes_max - 1) / bytes_max;
    if (parts < 2 && bytes >= 2 * bytes_min) parts = 2;
    parts = std::clamp<std::size_t>(parts, 1, std::max<std::size_t>(count, 1));
    // A part that is one element longer than the others must still fit.
    while ((count + parts - 1) / parts * element_bytes > bytes_max && parts < count) ++parts;
    std::vector<Chunk> all;
    for (std::size_t i = 0; i < parts; ++i) {
        const std::size_t first = count / parts * i + std::min(i, count % parts);
        all.push_back({first, count / parts + (i < count % parts ? 1 : 0)});
    }
    return all;
}

}  // namespace allreduce
