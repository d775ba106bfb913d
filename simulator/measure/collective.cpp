#include "simulator/measure/collective.hpp"

#include "fakes/base/result.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace shed::measure {

namespace {

double steps_of_doubling(int ranks) {
    return static_cast<double>(std::bit_width(static_cast<unsigned>(ranks - 1)));
}

// bytes / us = MB/s; GB/s are 1000 of them.
double transfer_us(double bytes, const Link& link) { return bytes / (link.bandwidth_GBps * 1000); }

Prediction made(Algorithm algorithm, double latency_us, double transfer_us) {
    const double us = latency_us + transfer_us;
    return {algorithm, us, us > 0 ? latency_us / us : 0};
}

// Half of a ring all-reduce: reduce-scatter or all-gather.
Prediction half_ring(int ranks, double bytes, const Link& link) {
    const double n = ranks;
    return made(Algorithm::ring, (n - 1) * link.latency_us, transfer_us((n - 1) / n * bytes, link));
}

}  // namespace

std::string_view algorithm_name(Algorithm algorithm) {
    switch (algorithm) {
        case Algorithm::ring:
            return "ring";
        case Algorithm::recursive_doubling:
            return "recursive doubling";
        case Algorithm::rabenseifner:
            return "Rabenseifner";
        case Algorithm::double_tree:
            return "double tree";
        case Algorithm::hierarchical:
            return "hierarchical";
    }
    return "";
}

Prediction predict(Algorithm algorithm, int ranks, std::uint64_t bytes, const Link& link) {
    SHED_CHECK(ranks > 0 && link.bandwidth_GBps > 0);
    if (ranks == 1) return {algorithm, 0, 0};
    const double n = ranks, size = static_cast<double>(bytes), a = link.latency_us;
    const double doubling = steps_of_doubling(ranks);
    const double both_halves = transfer_us(2 * (n - 1) / n * size, link);
    switch (algorithm) {
        case Algorithm::recursive_doubling:
            return made(algorithm, doubling * a, doubling * transfer_us(size, link));
        case Algorithm::rabenseifner:
            return made(algorithm, 2 * doubling * a, both_halves);
        case Algorithm::double_tree:
            return made(algorithm, 2 * doubling * a,
                        transfer_us(2 * size, link) + link.c_us_per_root_byte * std::sqrt(size));
        case Algorithm::ring:
        case Algorithm::hierarchical:
            break;
    }
    return made(algorithm, 2 * (n - 1) * a, both_halves);
}

Prediction predict_hierarchical(int nodes, int per_node, std::uint64_t bytes, const Link& inside,
                                const Link& between) {
    SHED_CHECK(nodes > 0 && per_node > 0 && inside.bandwidth_GBps > 0 &&
               between.bandwidth_GBps > 0);
    const double size = static_cast<double>(bytes);
    double latency = 0, us = 0;
    const auto add = [&](const Prediction& phase) {
        us += 2 * phase.us;
        latency += 2 * phase.us * phase.latency_share;
    };
    add(half_ring(per_node, size, inside));
    add(half_ring(nodes, size / per_node, between));
    return made(Algorithm::hierarchical, latency, us - latency);
}

Result<Link> link_of_ring(const Fit& fit, int ranks, std::string source) {
    if (ranks < 2) return Error{Reason::invalid, "one rank has no link"};
    if (fit.b_us_per_byte <= 0)
        return Error{Reason::invalid, "these times do not grow with size: they imply no bandwidth"};
    const double n = ranks;
    return Link{fit.a_us / (2 * (n - 1)), 2 * (n - 1) / n / fit.b_us_per_byte / 1000,
                fit.c_us_per_root_byte, std::move(source)};
}

Forecast forecast(int ranks, std::uint64_t bytes, const Link& link) {
    Forecast out;
    for (const Algorithm algorithm : {Algorithm::ring, Algorithm::recursive_doubling,
                                      Algorithm::rabenseifner, Algorithm::double_tree})
        out.all.push_back(predict(algorithm, ranks, bytes, link));
    std::stable_sort(out.all.begin(), out.all.end(),
                     [](const Prediction& a, const Prediction& b) { return a.us < b.us; });
    out.leaves_out = {"the arithmetic of the reduction",
                      "contention: every rank is taken to have its link to itself",
                      "topology: trees between two nodes and reduction in switches move less than "
                      "a ring and may exceed "
                      "the link's rate as bus bandwidth",
                      "protocol switches by message size, and the start-up of the first call",
                      "ranks that arrive late: the slowest decides"};
    if (link.c_us_per_root_byte == 0) out.leaves_out.push_back("pipelining ramps (c = 0)");
    if (!std::has_single_bit(static_cast<unsigned>(ranks)))
        out.leaves_out.push_back("the extra steps of doubling algorithms at " +
                                 std::to_string(ranks) + " ranks, which is no power of two");
    return out;
}

}  // namespace shed::measure
