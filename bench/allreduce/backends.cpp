#include "bench/allreduce/backend.hpp"

namespace allreduce {

std::unique_ptr<Backend> make_backend(const Options& options, const Ranks&) {
    if (options.backend == BackendKind::mpi) return make_mpi_backend();
    throw Unavailable("--backend " + name(options.backend) +
                      ": this program was built without CUDA");
}

}  // namespace allreduce
