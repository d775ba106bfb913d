// What can be told without MPI.
#include "bench/allreduce/transport.hpp"

#include <cctype>
#include <set>

namespace allreduce {

int count_segments(std::string_view maps, std::string_view kind) {
    std::set<std::string_view> names;
    const std::string path = "/dev/shm/" + std::string(kind);
    for (std::size_t at = maps.find(path); at != std::string_view::npos;
         at = maps.find(path, at + 1))
        names.insert(maps.substr(at, maps.find('\n', at) - at));
    return static_cast<int>(names.size());
}

std::string component_name(std::string_view bytes, std::string_view type) {
    constexpr std::size_t type_bytes = 32, version_bytes = 3 * sizeof(int);
    const std::size_t at = bytes.find(std::string(type) + '\0');
    if (at == std::string_view::npos || at + type_bytes + version_bytes >= bytes.size()) return "";
    const std::string_view rest = bytes.substr(at + type_bytes + version_bytes);
    const std::string_view name = rest.substr(0, rest.find('\0'));
    for (const char c : name)
        if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_') return "";
    return std::string(name);
}

std::vector<std::string> transport_names(const Traffic& traffic) {
    if (traffic.ranks == 1) return {"self"};
    std::vector<std::string> names;
    if (traffic.vader) names.emplace_back("vader");
    if (traffic.sm) names.emplace_back("sm");
    if (traffic.tcp) names.emplace_back("tcp");
    // ob1 has only these and transports of hardware; any other layer does as it likes.
    if (names.empty() || traffic.pml != "ob1")
        names.push_back(traffic.pml.empty() ? "unknown" : "unknown (" + traffic.pml + ")");
    return names;
}

}  // namespace allreduce
