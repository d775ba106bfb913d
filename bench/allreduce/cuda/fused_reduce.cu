#include "bench/allreduce/cuda/fused_reduce.hpp"

#include "bench/allreduce/reduce.hpp"

#include <cuda_runtime.h>

namespace allreduce {

namespace {

constexpr int threads_per_block = 256;
constexpr std::size_t blocks_per_multiprocessor = 8;  // 2048 threads: all that can be resident

template <class T, class Operation, int batch>
__global__ void __launch_bounds__(threads_per_block)
    reduce_kernel(FusedBuffers buffers, int ranks, bool is_average, std::size_t packs) {
    const std::size_t thread = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x;
    reduce_share<T, Operation, batch>(buffers, ranks, is_average, packs, thread,
                                      std::size_t{gridDim.x} * blockDim.x);
}

template <class T, class Operation>
void launch(const FusedBuffers& buffers, int ranks, bool is_average, std::size_t count,
            int multiprocessors, cudaStream_t stream) {
    const std::size_t packs = packs_of<T>(count);
    const std::size_t wanted = (packs + threads_per_block - 1) / threads_per_block;
    const std::size_t most = blocks_per_multiprocessor * static_cast<std::size_t>(multiprocessors);
    const auto blocks = static_cast<unsigned>(wanted < most ? wanted : most);
    if (ranks <= 2)
        reduce_kernel<T, Operation, 2>
            <<<blocks, threads_per_block, 0, stream>>>(buffers, ranks, is_average, packs);
    else
        reduce_kernel<T, Operation, 4>
            <<<blocks, threads_per_block, 0, stream>>>(buffers, ranks, is_average, packs);
}

}  // namespace

int launch_fused_reduce(const FusedBuffers& buffers, Dtype dtype, Op op, int ranks,
                        std::size_t count, int multiprocessors, CUstream_st* stream) {
    with_type(dtype, [&](auto type) {
        using T = decltype(type);
        if (op == Op::max) launch<T, Max>(buffers, ranks, false, count, multiprocessors, stream);
        else launch<T, Sum>(buffers, ranks, op == Op::avg, count, multiprocessors, stream);
    });
    return static_cast<int>(cudaGetLastError());
}

}  // namespace allreduce
