// All-reduce of ranks that share one GPU, in one kernel: each input is read once and each output
// written once, so N ranks of S bytes cost 2NS bytes of memory traffic, which is the least there
// can be. Compiled for the host, too, for tests.
#pragma once

#include "bench/allreduce/element.hpp"

#include <cstddef>

struct CUstream_st;  // cudaStream_t points to one

namespace allreduce {

enum class Dtype;
enum class Op;

constexpr int fused_ranks_max = 16;

// By rank; in place, in[r] == out[r]. Each is aligned to a pack and padded to whole packs.
struct FusedBuffers {
    const void* in[fused_ranks_max];
    void* out[fused_ranks_max];
};

constexpr std::size_t pack_bytes = 16;  // the widest load of a thread

template <class T>
struct alignas(pack_bytes) Pack {
    static constexpr int size = pack_bytes / sizeof(T);
    T value[size];
};

template <class T>
constexpr std::size_t packs_of(std::size_t count) {
    return (count + Pack<T>::size - 1) / Pack<T>::size;
}

// Memory that holds `bytes` in whole packs.
constexpr std::size_t padded_bytes(std::size_t bytes) {
    return (bytes + pack_bytes - 1) / pack_bytes * pack_bytes;
}

// Ranks in ascending order, so that results are the same bits every time. All loads of a batch are
// issued before the first is used: that keeps enough of them in flight to fill the memory's
// bandwidth.
template <class T, class Operation, int batch>
ALLREDUCE_BOTH void reduce_pack(const FusedBuffers& buffers, int ranks, bool is_average,
                                std::size_t index) {
    Accumulator<T> sums[Pack<T>::size] = {};
    for (int first = 0; first < ranks; first += batch) {
        Pack<T> parts[batch];
        for (int i = 0; i < batch; ++i)
            if (first + i < ranks)
                parts[i] = static_cast<const Pack<T>*>(buffers.in[first + i])[index];
        for (int i = 0; i < batch; ++i) {
            if (first + i >= ranks) continue;
            for (int e = 0; e < Pack<T>::size; ++e) {
                const Accumulator<T> value = load(parts[i].value[e]);
                sums[e] = first + i == 0 ? value : Operation::combine(sums[e], value);
            }
        }
    }
    Pack<T> result;
    for (int e = 0; e < Pack<T>::size; ++e)
        result.value[e] = store<T>(is_average ? average(sums[e], ranks) : sums[e]);
    for (int rank = 0; rank < ranks; ++rank)
        static_cast<Pack<T>*>(buffers.out[rank])[index] = result;
}

// One thread's share: every `threads`-th pack from `thread` on.
template <class T, class Operation, int batch>
ALLREDUCE_BOTH void reduce_share(const FusedBuffers& buffers, int ranks, bool is_average,
                                 std::size_t packs, std::size_t thread, std::size_t threads) {
    for (std::size_t index = thread; index < packs; index += threads)
        reduce_pack<T, Operation, batch>(buffers, ranks, is_average, index);
}

// Launches the kernel on the current device. Returns a cudaError_t.
int launch_fused_reduce(const FusedBuffers& buffers, Dtype dtype, Op op, int ranks,
                        std::size_t count, int multiprocessors, CUstream_st* stream);

}  // namespace allreduce
