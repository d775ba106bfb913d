#include "bench/allreduce/cuda/device_buffers.hpp"

namespace allreduce {

std::unique_ptr<Backend> make_cuda_backend(BackendKind kind, const Ranks& ranks) {
    if (kind == BackendKind::cuda_ipc) return make_cuda_ipc_backend(ranks);
    if (kind == BackendKind::nccl) return make_nccl_backend(ranks);
    return make_cuda_host_backend(ranks, "");
}

}  // namespace allreduce
