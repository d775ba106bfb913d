// One row: warm up, time calls, check the last one's result, check a fresh one.
#pragma once

#include "bench/allreduce/backend.hpp"
#include "bench/allreduce/pacing.hpp"

#include <string>
#include <vector>

namespace allreduce {

class Measurement {
public:
    // All ranks together.
    Measurement(const Options& options, const Ranks& ranks, const Pacing& pacing, Backend& backend);

    // All ranks together; the same row at all.
    Row measure(std::uint64_t bytes);

private:
    void warm_up();
    std::vector<double> timed_calls();
    double timed_call();
    void restore();
    std::size_t wrong_in_output(std::uint64_t seed);
    std::size_t check_fresh_input();
    std::vector<double> combined(std::vector<double> own_us) const;

    Options options_;
    const Ranks& ranks_;
    const Pacing& pacing_;
    Backend& backend_;
    int machine_ = 0;
    Problem problem_;
    std::vector<std::byte> scratch_;  // what restore() writes; later the output
    std::uint64_t seed_ = 1;
};

}  // namespace allreduce
