// libtrainshed_pace.so stands between a program and MPI and makes collectives take as long as a
// link model says: by LD_PRELOAD for a program linked to MPI, by MLX_MPI_LIBNAME for MLX. The file
// named by TRAINSHED_LINK describes the link (link_file.hpp); without that variable nothing
// changes.
//
// It paces MPI_Allreduce, MPI_Allgather (from the last rank's arrival on) and MPI_Bcast (from the
// root's). It can only add time: a call whose data took longer than the model says is counted as
// infeasible.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
// Of this process: paced calls, and those of them that took too long.
std::uint64_t trainshed_pace_calls();
std::uint64_t trainshed_pace_infeasible();
// What the model says for an all-reduce of `bytes` per rank; 0 without a link.
double trainshed_pace_target_us(int ranks, std::size_t bytes);
// The link file's name, "" without a link.
const char* trainshed_pace_link();
}
