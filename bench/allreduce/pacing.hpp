// The pacing library (pace/), where it stands between this program and MPI: looked up by name at
// run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace allreduce {

class Pacing {
public:
    Pacing();

    // Of this rank, since MPI_Init; 0 when nothing paces.
    std::uint64_t calls() const { return calls_ ? calls_() : 0; }
    std::uint64_t infeasible() const { return infeasible_ ? infeasible_() : 0; }
    // What the link model says for an all-reduce; nothing without one.
    std::optional<double> target_us(int ranks, std::size_t bytes) const;
    // The link file's name; "" without one.
    std::string link() const;

private:
    std::uint64_t (*calls_)() = nullptr;
    std::uint64_t (*infeasible_)() = nullptr;
    double (*target_us_)(int, std::size_t) = nullptr;
    const char* (*link_)() = nullptr;
};

}  // namespace allreduce
