// What is true of a whole run, gathered once after MPI_Init.
#pragma once

#include "bench/allreduce/backend.hpp"
#include "bench/allreduce/pacing.hpp"
#include "bench/allreduce/ranks.hpp"
#include "bench/allreduce/row.hpp"

namespace allreduce {

// Times of the start, taken by main.
struct Start {
    double unix_s = 0, mpi_init_s = 0, init_done_unix_s = 0, first_collective_s = 0;
};

// All ranks together; complete on rank 0.
RunFacts gather_facts(const Ranks& ranks, const Start& start, int argc, const char* const* argv);

}  // namespace allreduce
