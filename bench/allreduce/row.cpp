#include "bench/allreduce/row.hpp"

#include <algorithm>

namespace allreduce {

double Row::time_us() const {
    const Summary all = summary();
    return timing == Timing::osu ? all.mean : all.p50;
}

std::vector<Host> count_hosts(const std::vector<std::string>& name_of_rank) {
    std::vector<Host> hosts;
    for (const std::string& name : name_of_rank) {
        const auto known = std::find_if(hosts.begin(), hosts.end(),
                                        [&](const Host& host) { return host.name == name; });
        if (known == hosts.end()) hosts.push_back({name, 1});
        else ++known->ranks;
    }
    return hosts;
}

}  // namespace allreduce
