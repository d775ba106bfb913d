// The command line. Every rank reads the same one, so every rank comes to the same verdict before
// MPI_Init.
#pragma once

#include "bench/allreduce/dtype.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace allreduce {

enum class BackendKind { mpi, cuda_host, cuda_ipc, nccl };

// slowest: a sample is the slowest rank's time from a barrier on. osu: the mean over ranks, as
// osu_allreduce prints.
enum class Timing { slowest, osu };

struct Options {
    std::vector<std::uint64_t> sizes;  // bytes per rank, multiples of the element's size
    Dtype dtype = Dtype::float32;
    Op op = Op::sum;
    bool in_place = false;
    int warmup = 5;
    int iterations = 1000;
    double budget_s =
        1;  // per size; at least five iterations (or all, if fewer are asked for) run however long
    BackendKind backend = BackendKind::mpi;
    Timing timing = Timing::slowest;
    double delay_percent = 0;
    bool json = false;
    bool quiet = false;
};

// A run that ends here: --help (0) or a mistake (2), with what to print.
struct Ending {
    int code = 0;
    std::string text;
};

std::variant<Options, Ending> parse_options(int argc, const char* const* argv);

std::string name(BackendKind kind);
std::string name(Timing timing);

}  // namespace allreduce
