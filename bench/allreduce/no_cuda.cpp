// Stands in for cuda/ where there is no CUDA toolkit.
#include "bench/allreduce/backend.hpp"

namespace allreduce {

std::unique_ptr<Backend> make_cuda_backend(BackendKind kind, const Ranks&) {
    throw Unavailable(
        "--backend " + name(kind) +
        ": this program was built without CUDA (tools/install_cuda, then build again)");
}

}  // namespace allreduce
