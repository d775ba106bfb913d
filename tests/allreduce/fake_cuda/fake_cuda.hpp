// A CUDA run time without a GPU, to test what the CUDA backends do between processes: "device"
// memory is a memfd that other processes can open, and work on a stream is done no sooner than
// somebody waits for it, so that a missing wait shows as a wrong result. Stricter than CUDA: memory
// outside of an allocation, handles of one's own and events recorded by someone else end the
// program.
//
// FAKE_CUDA_DEVICES: how many (1). FAKE_CUDA_NO_IPC: handles are refused, as between containers.
#pragma once

#include <cuda_runtime.h>
#include <functional>

namespace fake_cuda {

void enqueue(cudaStream_t stream, std::function<void()> work);
// Ends the program unless [memory, memory + bytes) lies within one allocation, own or opened.
void require_device_memory(const void* memory, std::size_t bytes);

}  // namespace fake_cuda
