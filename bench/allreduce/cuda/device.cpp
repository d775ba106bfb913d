#include "bench/allreduce/cuda/device.hpp"

#include "bench/allreduce/backend.hpp"
#include "bench/allreduce/cuda/fused_reduce.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

namespace allreduce {

namespace {

using Uuid = std::array<char, sizeof(cudaUUID_t)>;

// By the launcher's word: one host's ranks are numbered from 0.
int local_rank(int rank) {
    for (const char* variable : {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID"})
        if (const char* text = std::getenv(variable)) return std::atoi(text);
    return rank;
}

// cudaErrorNoDevice, or cudaErrorInsufficientDriver where there is no driver at all.
std::string why_no_device(int* count) {
    const cudaError_t result = cudaGetDeviceCount(count);
    if (result != cudaSuccess) return cudaGetErrorString(result);
    return *count == 0 ? "no CUDA device" : "";
}

int attribute(cudaDeviceAttr which, int device) {
    int value = 0;
    check(cudaDeviceGetAttribute(&value, which, device), "cudaDeviceGetAttribute");
    return value;
}

std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// MPS runs kernels of several processes at once; without it they take turns.
std::string sharing_name(int ranks, int device) {
    if (ranks == 1) return "exclusive";
    constexpr auto mps_enabled =
        static_cast<cudaDeviceAttr>(133);  // CU_DEVICE_ATTRIBUTE_MPS_ENABLED
    int enabled = 0;
    if (cudaDeviceGetAttribute(&enabled, mps_enabled, device) != cudaSuccess) {
        cudaGetLastError();  // older run times do not know it
        return "unknown";
    }
    return enabled ? "mps" : "time-slice";
}

}  // namespace

void check(cudaError_t result, const char* call) {
    if (result == cudaSuccess) return;
    throw std::runtime_error(std::string(call) + ": " + cudaGetErrorString(result));
}

DeviceMemory device_memory(std::size_t bytes) {
    void* memory = nullptr;
    check(cudaMalloc(&memory, padded_bytes(bytes)), "cudaMalloc");
    return DeviceMemory(memory);
}

PinnedMemory pinned_memory(std::size_t bytes) {
    void* memory = nullptr;
    check(cudaMallocHost(&memory, bytes), "cudaMallocHost");
    return PinnedMemory(memory);
}

Device::Device(const Ranks& ranks) {
    int count = 0;
    const std::string reason = why_no_device(&count);
    if (ranks.any(!reason.empty()))
        throw Unavailable("no GPU: " + (reason.empty() ? "another rank has none" : reason));
    index_ = local_rank(ranks.rank()) % count;
    check(cudaSetDevice(index_), "cudaSetDevice");
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, index_), "cudaGetDeviceProperties");
    name_ = properties.name;
    multiprocessors_ = attribute(cudaDevAttrMultiProcessorCount, index_);
    l2_bytes_ = static_cast<std::size_t>(attribute(cudaDevAttrL2CacheSize, index_));
    Uuid mine{};
    std::memcpy(mine.data(), &properties.uuid, mine.size());
    std::vector<Uuid> all(static_cast<std::size_t>(ranks.size()));
    ranks.gather_bytes(mine.data(), all.data(), sizeof mine);
    ranks_on_it_ = static_cast<int>(std::count(all.begin(), all.end(), mine));
    is_everyones_ = !ranks.any(ranks_on_it_ != ranks.size());
    any_shared_ = ranks.any(ranks_on_it_ > 1);
}

nlohmann::ordered_json Device::facts() const {
    int driver = 0, runtime = 0;
    check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
    return {{"name", name_},
            {"cuda_driver", version_text(driver)},
            {"cuda_runtime", version_text(runtime)},
            {"ranks_per_gpu", ranks_on_it_},
            {"sharing", sharing_name(ranks_on_it_, index_)},
            {"l2_bytes", l2_bytes_}};
}

double copy_bandwidth(const Ranks& ranks) {
    constexpr std::size_t bytes = 256u << 20;  // more than any L2
    constexpr int repeats = 10;
    double best = 0;
    if (ranks.rank() == 0) {
        const DeviceMemory from = device_memory(bytes), to = device_memory(bytes);
        const Stream stream;
        const Event start(cudaEventDefault), end(cudaEventDefault);
        for (int i = 0; i < repeats; ++i) {
            start.record(stream);
            check(cudaMemcpyAsync(to.get(), from.get(), bytes, cudaMemcpyDeviceToDevice,
                                  stream.get()),
                  "cudaMemcpyAsync");
            end.record(stream);
            stream.wait();
            float ms = 0;
            check(cudaEventElapsedTime(&ms, start.get(), end.get()), "cudaEventElapsedTime");
            best = std::max(best, 2.0 * bytes / (ms * 1e6));
        }
    }
    return ranks.max(best);
}

}  // namespace allreduce
