// The GPU of this rank, and its memory. Needs CUDA's run time; nothing here needs nvcc.
#pragma once

#include "bench/allreduce/ranks.hpp"

#include <cuda_runtime.h>
#include <cstddef>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace allreduce {

// Throws std::runtime_error that names the call.
void check(cudaError_t result, const char* call);

// Device memory, padded to whole packs (fused_reduce.hpp); pinned host memory.
struct DeviceFree {
    void operator()(void* memory) const { cudaFree(memory); }
};
struct PinnedFree {
    void operator()(void* memory) const { cudaFreeHost(memory); }
};
using DeviceMemory = std::unique_ptr<void, DeviceFree>;
using PinnedMemory = std::unique_ptr<void, PinnedFree>;
DeviceMemory device_memory(std::size_t bytes);
PinnedMemory pinned_memory(std::size_t bytes);

class Stream {
public:
    Stream() {
        check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    }
    ~Stream() { cudaStreamDestroy(stream_); }
    Stream(const Stream&) = delete;
    Stream& operator=(const Stream&) = delete;

    cudaStream_t get() const { return stream_; }
    void wait() const { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

private:
    cudaStream_t stream_ = nullptr;
};

class Event {
public:
    explicit Event(unsigned flags = cudaEventDisableTiming) {
        check(cudaEventCreateWithFlags(&event_, flags), "cudaEventCreate");
    }
    ~Event() { cudaEventDestroy(event_); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    cudaEvent_t get() const { return event_; }
    void record(const Stream& stream) const {
        check(cudaEventRecord(event_, stream.get()), "cudaEventRecord");
    }

private:
    cudaEvent_t event_ = nullptr;
};

// Ranks of a host take its GPUs in turn (by local rank), as MLX's nccl backend and most launchers
// do.
class Device {
public:
    // All ranks; throws Unavailable at all where one has no GPU.
    explicit Device(const Ranks& ranks);

    int multiprocessors() const { return multiprocessors_; }
    std::size_t l2_bytes() const { return l2_bytes_; }
    // How many ranks have this same GPU, and whether all have.
    int ranks_on_it() const { return ranks_on_it_; }
    bool is_everyones() const { return is_everyones_; }
    bool any_shared() const { return any_shared_; }
    // "gpu": name, versions, how it is shared.
    nlohmann::ordered_json facts() const;

private:
    int index_ = 0, multiprocessors_ = 0, ranks_on_it_ = 1;
    std::size_t l2_bytes_ = 0;
    bool is_everyones_ = true, any_shared_ = false;
    std::string name_;
};

// Bytes read plus bytes written per second, in GB/s, of a large copy within the device's memory.
// Rank 0 measures alone; all ranks get it.
double copy_bandwidth(const Ranks& ranks);

}  // namespace allreduce
