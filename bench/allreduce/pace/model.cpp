#include "bench/allreduce/pace/model.hpp"

#include <array>
#include <bit>
#include <cstddef>

namespace pace {

namespace {

using namespace std::string_view_literals;

constexpr std::array algorithm_names = {"ring"sv, "recursive-doubling"sv, "rabenseifner"sv,
                                        "tree"sv};

double steps(int ranks) { return std::bit_width(static_cast<unsigned>(ranks - 1)); }

double transfer_us(const Link& link, double bytes) {
    return bytes * 8 / (link.bandwidth_gbps * 1e3);
}

}  // namespace

std::optional<Algorithm> find_algorithm(std::string_view name) {
    for (std::size_t i = 0; i < algorithm_names.size(); ++i)
        if (algorithm_names[i] == name) return static_cast<Algorithm>(i);
    return std::nullopt;
}

double all_reduce_us(const Link& link, int ranks, double bytes) {
    if (ranks < 2) return 0;
    const double a = link.latency_us, whole = transfer_us(link, bytes);
    const double share = 2.0 * (ranks - 1) / ranks * whole;
    switch (link.algorithm) {
        case Algorithm::recursive_doubling:
            return steps(ranks) * (a + whole);
        case Algorithm::rabenseifner:
            return 2 * steps(ranks) * a + share;
        case Algorithm::tree:
            return 2 * steps(ranks) * a + 2 * whole;
        case Algorithm::ring:
            break;
    }
    return 2.0 * (ranks - 1) * a + share;
}

double broadcast_us(const Link& link, int ranks, double bytes) {
    return ranks < 2 ? 0 : steps(ranks) * (link.latency_us + transfer_us(link, bytes));
}

double all_gather_us(const Link& link, int ranks, double bytes) {
    return ranks < 2 ? 0 : (ranks - 1) * (link.latency_us + transfer_us(link, bytes));
}

}  // namespace pace
