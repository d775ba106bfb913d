// Streams, events, handles to events, and the device itself.
#include "fake_cuda.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>

struct CUstream_st {
    std::deque<std::function<void()>> work;

    void run_one() {
        const auto next = std::move(work.front());
        work.pop_front();
        next();
    }
    void run_all() {
        while (!work.empty()) run_one();
    }
};

namespace {

// In memory that other processes can map.
struct EventState {
    std::atomic<std::uint64_t> recorded{0}, completed{0};
    std::atomic<double> completed_ms{0};
};

struct EventHandle {
    int process, file;
};

double now_ms() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration<double, std::milli>(now).count();
}

EventState* mapped_state(int file) {
    void* memory = mmap(nullptr, sizeof(EventState), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    return static_cast<EventState*>(memory);
}

int device_count() {
    const char* text = std::getenv("FAKE_CUDA_DEVICES");
    return text ? std::atoi(text) : 1;
}

int current_device = 0;

}  // namespace

struct CUevent_st {
    EventState* state = nullptr;
    int file = -1;  // -1: opened by a handle
    bool can_be_shared = false;
    cudaStream_t stream = nullptr;  // that it was last recorded on
};

void fake_cuda::enqueue(cudaStream_t stream, std::function<void()> work) {
    stream->work.push_back(std::move(work));
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
    *stream = new CUstream_st;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
    delete stream;
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
    stream->run_all();
    return cudaSuccess;
}

// Of the null stream only: all others here are waited for by name.
cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
    const std::uint64_t wanted = event->state->recorded;
    fake_cuda::enqueue(stream, [event, wanted] {
        if (event->stream) event->stream->run_all();
        while (event->state->completed < wanted) sched_yield();
    });
    return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
    const int file = memfd_create("fake-cuda-event", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, sizeof(EventState)) != 0) return cudaErrorMemoryAllocation;
    *event =
        new CUevent_st{mapped_state(file), file, (flags & cudaEventInterprocess) != 0, nullptr};
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
    munmap(event->state, sizeof(EventState));
    if (event->file >= 0) close(event->file);
    delete event;
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
    if (event->file < 0) {
        std::fputs("fake CUDA: recorded another process's event\n", stderr);
        std::abort();
    }
    const std::uint64_t number = ++event->state->recorded;
    event->stream = stream;
    fake_cuda::enqueue(stream, [state = event->state, number] {
        state->completed = number;
        state->completed_ms = now_ms();
    });
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    const std::uint64_t wanted = event->state->recorded;
    while (event->stream && event->state->completed < wanted) event->stream->run_one();
    return cudaSuccess;
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
    *ms = static_cast<float>(end->state->completed_ms - start->state->completed_ms);
    return cudaSuccess;
}

cudaError_t cudaIpcGetEventHandle(cudaIpcEventHandle_t* handle, cudaEvent_t event) {
    if (std::getenv("FAKE_CUDA_NO_IPC")) return cudaErrorNotSupported;
    if (!event->can_be_shared) return cudaErrorInvalidResourceHandle;
    const EventHandle offered = {getpid(), event->file};
    std::memcpy(handle, &offered, sizeof offered);
    return cudaSuccess;
}

cudaError_t cudaIpcOpenEventHandle(cudaEvent_t* event, cudaIpcEventHandle_t handle) {
    EventHandle offered{};
    std::memcpy(&offered, &handle, sizeof offered);
    if (offered.process == getpid()) return cudaErrorDeviceUninitialized;
    const std::string path =
        "/proc/" + std::to_string(offered.process) + "/fd/" + std::to_string(offered.file);
    FILE* file = std::fopen(path.c_str(), "r+");
    if (!file) return cudaErrorMapBufferObjectFailed;
    *event = new CUevent_st{mapped_state(fileno(file)), -1, false, nullptr};
    std::fclose(file);
    return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
    *count = device_count();
    return *count > 0 ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaSetDevice(int device) {
    current_device = device;
    return device < device_count() ? cudaSuccess : cudaErrorInvalidDevice;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
    *properties = {};
    std::strcpy(properties->name, "fake GPU");
    properties->uuid.bytes[0] = static_cast<char>(1 + device);
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    *value =
        attribute == cudaDevAttrL2CacheSize ? 1 << 20 : attribute == cudaDevAttrMultiProcessorCount;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
    *version = 13000;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

const char* cudaGetErrorString(cudaError_t error) {
    if (error == cudaErrorNotSupported) return "operation not supported";
    return error == cudaErrorNoDevice ? "no CUDA-capable device is detected"
                                      : "an error of fake CUDA";
}

cudaError_t cudaGetLastError() { return cudaSuccess; }
