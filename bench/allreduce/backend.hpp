// The seam between the measuring program and what reduces.
#pragma once

#include "bench/allreduce/options.hpp"
#include "bench/allreduce/pattern.hpp"
#include "bench/allreduce/ranks.hpp"
#include "bench/allreduce/row.hpp"

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

namespace allreduce {

// This machine cannot run a backend: exit code 77, which CTest knows as a skip. Thrown by all ranks
// or by none.
struct Unavailable : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Backend {
public:
    virtual ~Backend() = default;
    // Memory for one problem; the problem before goes away. All ranks call it together.
    virtual void allocate(const Problem& problem) = 0;
    // Copies problem.bytes() between the host and where the backend keeps its data. In place, input
    // and output are one.
    virtual void write_input(const std::byte* from) = 0;
    virtual void write_output(const std::byte* from) = 0;
    virtual void read_output(std::byte* to) = 0;
    // What is timed: returns once this rank's result is complete.
    virtual void all_reduce() = 0;

    virtual std::string algorithm() const = 0;
    // Does it divide before it sums (see count_wrong)?
    virtual bool inexact_average() const { return false; }
    // Figures of its own for a row that took `time_us`, and for the run.
    virtual nlohmann::ordered_json row_figures(const Problem&, double) {
        return nlohmann::ordered_json::object();
    }
    virtual nlohmann::ordered_json run_figures() { return nlohmann::ordered_json::object(); }
};

std::unique_ptr<Backend> make_mpi_backend();
// All ranks call it. Throws Unavailable where there is no such device, or where it was not built
// in.
std::unique_ptr<Backend> make_cuda_backend(BackendKind kind, const Ranks& ranks);

inline std::unique_ptr<Backend> make_backend(BackendKind kind, const Ranks& ranks) {
    return kind == BackendKind::mpi ? make_mpi_backend() : make_cuda_backend(kind, ranks);
}

}  // namespace allreduce
