// What MPI's messages really cross, and by which algorithm: observed, since settings only say what
// was allowed.
//
// Open MPI tells no program which transport it chose for a peer: its MPI_T variables hold settings,
// and its endpoint structures differ between releases. But a process can look at itself:
//   tcp    getsockopt(TCP_INFO) on each socket it holds counts the bytes moved: did they grow by
//   what a probing
//          all-reduce of 1 MiB has to move?
//   vader  (Open MPI 5: sm) maps the shared segments of the peers that it will talk to into this
//   process, and no others
//          (/proc/self/maps); where it reaches a peer, tcp is not used for that peer
// The message layer's name (ob1, ucx, cm) is read from the component that libmpi selected.
#pragma once

#include "bench/allreduce/ranks.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace allreduce {

// The file names of shared segments of a kind, in the text of /proc/self/maps; each once.
int count_segments(std::string_view maps, std::string_view kind);

// The component's name in the bytes of an mca_base_component_t: after the type's field of 32 bytes
// and three ints.
std::string component_name(std::string_view bytes, std::string_view type);

struct Traffic {
    bool tcp = false, vader = false, sm = false;  // on any rank
    std::string pml;                              // the message layer
    int ranks = 1;
};

// "self" for one rank; the message layer's name where nothing else explains how bytes moved.
std::vector<std::string> transport_names(const Traffic& traffic);

// All ranks together, after MPI_Init; runs one all-reduce.
std::vector<std::string> probe_transports(const Ranks& ranks);

// How Open MPI was told to choose an all-reduce algorithm.
std::string mpi_algorithm();
// Do ranks give up their core while they wait? As MPI_Init decided it.
bool yields_when_idle();

}  // namespace allreduce
