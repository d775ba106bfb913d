// Device memory and events of all ranks, opened by rank 0 through CUDA's inter-process handles.
#pragma once

#include "bench/allreduce/cuda/device.hpp"

#include <stdexcept>
#include <vector>

namespace allreduce {

// Handles do not reach here: another user, another container's namespace, memory of the wrong kind.
// At all ranks.
struct CannotShare : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What rank 0 can address of every rank's `memory`; elsewhere only its own. The owner keeps its
// memory until close() was called on all ranks.
class SharedMemory {
public:
    // All ranks; throws CannotShare at all.
    SharedMemory(const Ranks& ranks, void* memory);
    ~SharedMemory() { close(); }
    SharedMemory(const SharedMemory&) = delete;
    SharedMemory& operator=(const SharedMemory&) = delete;

    void* of(int rank) const { return addresses_[static_cast<std::size_t>(rank)]; }
    void close();

private:
    std::vector<void*> addresses_;
    int own_rank_ = 0;
};

// An event of `ranks[owner]` as others see it. Recorded only by its owner.
class SharedEvents {
public:
    // All ranks; each offers `mine`, and opens everyone else's. Throws CannotShare at all.
    SharedEvents(const Ranks& ranks, const Event& mine);
    ~SharedEvents();
    SharedEvents(const SharedEvents&) = delete;
    SharedEvents& operator=(const SharedEvents&) = delete;

    cudaEvent_t of(int rank) const { return events_[static_cast<std::size_t>(rank)]; }

private:
    std::vector<cudaEvent_t> events_;
    int own_rank_ = 0;
};

}  // namespace allreduce
