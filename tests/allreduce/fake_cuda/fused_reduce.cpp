// The kernel's own code on the host, one thread after the other, when the stream gets there.
#include "bench/allreduce/cuda/fused_reduce.hpp"

#include "bench/allreduce/reduce.hpp"
#include "fake_cuda.hpp"

namespace allreduce {

namespace {

template <class T, class Operation>
void run(const FusedBuffers& buffers, int ranks, bool is_average, std::size_t count) {
    const std::size_t packs = packs_of<T>(count);
    for (int rank = 0; rank < ranks; ++rank) {
        fake_cuda::require_device_memory(buffers.in[rank], packs * pack_bytes);
        fake_cuda::require_device_memory(buffers.out[rank], packs * pack_bytes);
    }
    reduce_share<T, Operation, 4>(buffers, ranks, is_average, packs, 0, 1);
}

}  // namespace

int launch_fused_reduce(const FusedBuffers& buffers, Dtype dtype, Op op, int ranks,
                        std::size_t count, int, CUstream_st* stream) {
    fake_cuda::enqueue(stream, [=] {
        with_type(dtype, [&](auto type) {
            using T = decltype(type);
            if (op == Op::max) run<T, Max>(buffers, ranks, false, count);
            else run<T, Sum>(buffers, ranks, op == Op::avg, count);
        });
    });
    return cudaSuccess;
}

}  // namespace allreduce
