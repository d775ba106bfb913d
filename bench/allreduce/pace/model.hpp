// How long a collective takes over a link: latency a per message, bandwidth B per direction, no
// contention, no cost of computing (Hockney 1994). n ranks, S bytes. a and B are those of `Link`,
// in microseconds and Gbit/s (10^9).
#pragma once

#include <optional>
#include <string_view>

namespace pace {

enum class Algorithm { ring, recursive_doubling, rabenseifner, tree };

struct Link {
    double latency_us = 0;
    double bandwidth_gbps = 0;
    Algorithm algorithm = Algorithm::ring;  // of all-reduce
};

std::optional<Algorithm> find_algorithm(std::string_view name);

// All-reduce of S bytes per rank. log is to base 2, rounded up; 0 for one rank.
//   ring                2(n-1) a + 2(n-1)/n S/B           Patarasuk and Yuan 2009
//   recursive-doubling  log(n) (a + S/B)                  Thakur, Rabenseifner and Gropp 2005,
//   section 4.5 rabenseifner        2 log(n) a + 2(n-1)/n S/B         the same; what n that is no
//   power of 2 adds is left out tree                2 log(n) a + 2 S/B                a pipelined
//   tree up and down: Sanders, Speck and Traeff 2009
double all_reduce_us(const Link& link, int ranks, double bytes);

// Binomial tree: log(n) (a + S/B); Thakur and others, section 4.2.
double broadcast_us(const Link& link, int ranks, double bytes);

// Ring; S bytes from each rank: (n-1) (a + S/B); the same, section 4.1.
double all_gather_us(const Link& link, int ranks, double bytes);

}  // namespace pace
