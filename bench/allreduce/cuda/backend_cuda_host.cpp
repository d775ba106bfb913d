// Device buffers, reduced by MPI in pinned host memory: what an MPI that knows no CUDA can do.
// Chunks overlap: while one is reduced, the next comes down and the one before goes up.
#include "bench/allreduce/cuda/chunks.hpp"
#include "bench/allreduce/cuda/device_buffers.hpp"
#include "bench/allreduce/host_reduction.hpp"
#include "bench/allreduce/transport.hpp"

#include <optional>

namespace allreduce {

namespace {

constexpr std::size_t chunk_bytes_min = 256 << 10, chunk_bytes_max = 4 << 20;

class CudaHostBackend final : public DeviceBuffers {
public:
    CudaHostBackend(const Ranks& ranks, std::string fallback_reason)
        : device_(ranks), fallback_reason_(std::move(fallback_reason)) {}

    void allocate(const Problem& problem) override {
        allocate_buffers(problem);
        staging_.reset();
        staging_ = pinned_memory(problem.bytes());
        reduction_.emplace(problem);
        chunks_ =
            chunks(problem.count, facts(problem.dtype).bytes, chunk_bytes_min, chunk_bytes_max);
        arrived_.clear();
        for (std::size_t i = 0; i < chunks_.size(); ++i)
            arrived_.push_back(std::make_unique<Event>());
    }

    void all_reduce() override {
        for (std::size_t i = 0; i < chunks_.size(); ++i) {
            copy_async(host(chunks_[i]), at(input(), chunks_[i]), chunks_[i],
                       cudaMemcpyDeviceToHost, down_);
            arrived_[i]->record(down_);
        }
        for (std::size_t i = 0; i < chunks_.size(); ++i) {
            check(cudaEventSynchronize(arrived_[i]->get()), "cudaEventSynchronize");
            reduction_->all_reduce(nullptr, host(chunks_[i]), chunks_[i].count);
            copy_async(at(output(), chunks_[i]), host(chunks_[i]), chunks_[i],
                       cudaMemcpyHostToDevice, up_);
        }
        up_.wait();
    }

    std::string algorithm() const override { return "host-staged MPI, " + mpi_algorithm(); }

    nlohmann::ordered_json run_figures() override {
        nlohmann::ordered_json figures = {{"path", "host-staged"}, {"gpu", device_.facts()}};
        if (!fallback_reason_.empty()) figures["fallback"] = fallback_reason_;
        return figures;
    }

private:
    std::byte* at(void* memory, const Chunk& chunk) const {
        return static_cast<std::byte*>(memory) + chunk.first * facts(problem().dtype).bytes;
    }
    std::byte* host(const Chunk& chunk) const { return at(staging_.get(), chunk); }

    void copy_async(void* to, const void* from, const Chunk& chunk, cudaMemcpyKind kind,
                    const Stream& stream) const {
        const std::size_t bytes = chunk.count * facts(problem().dtype).bytes;
        check(cudaMemcpyAsync(to, from, bytes, kind, stream.get()), "cudaMemcpyAsync");
    }

    Device device_;
    std::string fallback_reason_;
    Stream down_, up_;
    PinnedMemory staging_;
    std::vector<Chunk> chunks_;
    std::vector<std::unique_ptr<Event>> arrived_;
    std::optional<HostReduction> reduction_;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_host_backend(const Ranks& ranks, std::string fallback_reason) {
    return std::make_unique<CudaHostBackend>(ranks, std::move(fallback_reason));
}

}  // namespace allreduce
