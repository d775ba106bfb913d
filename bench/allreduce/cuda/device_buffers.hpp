// Input and output of one rank in device memory: what the CUDA backends have in common.
#pragma once

#include "bench/allreduce/backend.hpp"
#include "bench/allreduce/cuda/device.hpp"

namespace allreduce {

class DeviceBuffers : public Backend {
public:
    void write_input(const std::byte* from) override {
        copy(input(), from, cudaMemcpyHostToDevice);
    }
    void write_output(const std::byte* from) override {
        copy(output_.get(), from, cudaMemcpyHostToDevice);
    }
    void read_output(std::byte* to) override { copy(to, output_.get(), cudaMemcpyDeviceToHost); }

protected:
    void allocate_buffers(const Problem& problem) {
        problem_ = problem;
        // Old memory goes first: two of the largest size might not fit.
        input_.reset();
        output_.reset();
        output_ = device_memory(problem.bytes());
        if (!problem.in_place) input_ = device_memory(problem.bytes());
    }

    void* input() const { return problem_.in_place ? output_.get() : input_.get(); }
    void* output() const { return output_.get(); }
    const Problem& problem() const { return problem_; }

private:
    void copy(void* to, const void* from, cudaMemcpyKind kind) const {
        check(cudaMemcpy(to, from, problem_.bytes(), kind), "cudaMemcpy");
        // A copy from pageable memory may still be on its way when the call returns.
        check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    }

    Problem problem_;
    DeviceMemory input_, output_;
};

std::unique_ptr<Backend> make_cuda_host_backend(const Ranks& ranks, std::string fallback_reason);
std::unique_ptr<Backend> make_cuda_ipc_backend(const Ranks& ranks);
std::unique_ptr<Backend> make_nccl_backend(const Ranks& ranks);

}  // namespace allreduce
