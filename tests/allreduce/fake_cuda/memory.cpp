// Device and pinned memory, copies, and handles to memory.
#include "fake_cuda.hpp"

#include <sys/mman.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

namespace fake_cuda {

namespace {

struct Allocation {
    std::size_t bytes = 0;
    int file = -1;  // -1: opened by a handle
};

std::map<const std::byte*, Allocation> allocations;

struct Handle {
    int process, file;
    std::size_t bytes;
};

[[noreturn]] void misuse(const char* what) {
    std::fprintf(stderr, "fake CUDA: %s\n", what);
    std::abort();
}

const std::byte* as_bytes(const void* memory) { return static_cast<const std::byte*>(memory); }

void* mapped(int file, std::size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return memory == MAP_FAILED ? nullptr : memory;
}

bool is_device(const void* memory) {
    const auto after = allocations.upper_bound(as_bytes(memory));
    if (after == allocations.begin()) return false;
    const auto& [start, allocation] = *std::prev(after);
    return as_bytes(memory) < start + allocation.bytes;
}

void copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    const bool down = kind == cudaMemcpyDeviceToHost, up = kind == cudaMemcpyHostToDevice;
    if (!up) require_device_memory(from, bytes);
    if (!down) require_device_memory(to, bytes);
    if ((up && is_device(from)) || (down && is_device(to))) misuse("a copy of the wrong kind");
    std::memcpy(to, from, bytes);
}

void unmap(const void* memory) {
    const auto found = allocations.find(as_bytes(memory));
    if (found == allocations.end()) misuse("freed what is no allocation");
    munmap(const_cast<std::byte*>(found->first), found->second.bytes);
    if (found->second.file >= 0) close(found->second.file);
    allocations.erase(found);
}

}  // namespace

void require_device_memory(const void* memory, std::size_t bytes) {
    const auto after = allocations.upper_bound(as_bytes(memory));
    if (after == allocations.begin()) misuse("not device memory");
    const auto& [start, allocation] = *std::prev(after);
    if (as_bytes(memory) + bytes > start + allocation.bytes)
        misuse("past the end of an allocation");
}

}  // namespace fake_cuda

using namespace fake_cuda;

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
    const int file = memfd_create("fake-cuda", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, static_cast<off_t>(bytes)) != 0)
        return cudaErrorMemoryAllocation;
    *memory = mapped(file, bytes);
    if (!*memory) return cudaErrorMemoryAllocation;
    allocations[as_bytes(*memory)] = {bytes, file};
    return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
    if (memory) unmap(memory);
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
    *memory = std::malloc(bytes);
    return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void* memory) {
    std::free(memory);
    return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
    copy(to, from, bytes, kind);
    return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    enqueue(stream, [=] { copy(to, from, bytes, kind); });
    return cudaSuccess;
}

cudaError_t cudaIpcGetMemHandle(cudaIpcMemHandle_t* handle, void* memory) {
    if (std::getenv("FAKE_CUDA_NO_IPC")) return cudaErrorNotSupported;
    const auto found = allocations.find(as_bytes(memory));
    if (found == allocations.end() || found->second.file < 0) return cudaErrorInvalidValue;
    const Handle offered = {getpid(), found->second.file, found->second.bytes};
    std::memcpy(handle, &offered, sizeof offered);
    return cudaSuccess;
}

cudaError_t cudaIpcOpenMemHandle(void** memory, cudaIpcMemHandle_t handle, unsigned) {
    Handle offered{};
    std::memcpy(&offered, &handle, sizeof offered);
    if (offered.process == getpid()) return cudaErrorInvalidDevicePointer;
    const std::string path =
        "/proc/" + std::to_string(offered.process) + "/fd/" + std::to_string(offered.file);
    FILE* file = std::fopen(path.c_str(), "r+");
    if (!file) return cudaErrorMapBufferObjectFailed;
    *memory = mapped(fileno(file), offered.bytes);
    std::fclose(file);
    if (!*memory) return cudaErrorMapBufferObjectFailed;
    allocations[as_bytes(*memory)] = {offered.bytes, -1};
    return cudaSuccess;
}

cudaError_t cudaIpcCloseMemHandle(void* memory) {
    unmap(memory);
    return cudaSuccess;
}
