// MPI_Allreduce of host memory for every type and operation here, also for those that MPI lacks.
#pragma once

#include "bench/allreduce/pattern.hpp"

#include <memory>

namespace allreduce {

class HostReduction {
public:
    // After MPI_Init.
    explicit HostReduction(const Problem& problem);
    ~HostReduction();
    HostReduction(const HostReduction&) = delete;
    HostReduction& operator=(const HostReduction&) = delete;

    // All ranks; `count` elements. In place where `from` is null.
    void all_reduce(const void* from, void* to, std::size_t count) const;

private:
    struct Operation;
    Problem problem_;
    std::unique_ptr<Operation> operation_;
};

}  // namespace allreduce
