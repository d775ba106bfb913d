#pragma once
// Closed-form times of all-reduce algorithms from link parameters, for ranks and networks that are
// not here.
//
// With n ranks, S bytes per rank, latency a and bandwidth B of one link (Thakur, Rabenseifner,
// Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
// without the reduction's own cost; the double tree by Sanders, Speck and Traeff, Parallel
// Computing 35(12), 2009):
//   ring                2 (n-1) a + 2 (n-1)/n S/B
//   recursive doubling  ceil(log2 n) (a + S/B)
//   Rabenseifner        2 log2(n) a + 2 (n-1)/n S/B      (log2 rounded up)
//   double tree         2 log2(n) a + 2 S/B + c sqrt(S)  (log2 rounded up)
//   hierarchical        reduce-scatter inside a node, all-reduce of S/g on each of g rails,
//   all-gather inside
#include "simulator/measure/fit.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace shed::measure {

// Of one rank's link. Measured or from a data sheet, never from another machine's loopback:
// `source` says which.
struct Link {
    double latency_us = 0;
    double bandwidth_GBps = 0;      // one direction; 10^9 bytes
    double c_us_per_root_byte = 0;  // pipelining, as Fit::c_us_per_root_byte; 0 when unknown
    std::string source;
};

enum class Algorithm { ring, recursive_doubling, rabenseifner, double_tree, hierarchical };
std::string_view algorithm_name(Algorithm algorithm);  // "ring", "recursive doubling", ...

struct Prediction {
    Algorithm algorithm = Algorithm::ring;
    double us = 0;
    double latency_share = 0;  // of us: near 1, a faster link does not help
};

// 0 us for one rank. `bandwidth_GBps` must be above 0.
Prediction predict(Algorithm algorithm, int ranks, std::uint64_t bytes, const Link& link);
// `nodes` of `per_node` ranks, each with its own rail to its peers in other nodes; a ring both
// inside and between. Phases do not overlap; implementations pipeline them, and then the slowest
// phase alone is a lower bound.
Prediction predict_hierarchical(int nodes, int per_node, std::uint64_t bytes, const Link& inside,
                                const Link& between);

// The link that a curve through measured times of a ring implies: what is in the curve beside the
// wire (copies, the reduction) is taken for wire. Error invalid: one rank, or a curve whose time
// does not grow with size.
Result<Link> link_of_ring(const Fit& fit, int ranks, std::string source);

struct Forecast {
    std::vector<Prediction> all;  // fastest first, as a tuned library would choose
    std::vector<std::string>
        leaves_out;  // what makes the real thing slower, or faster, than all of them
};

// The four flat algorithms.
Forecast forecast(int ranks, std::uint64_t bytes, const Link& link);

}  // namespace shed::measure
