// Ranks that share one GPU: rank 0 launches one kernel that reduces for all (fused_reduce.hpp), on
// memory that the others opened to it. Kernels of different processes never wait for each other:
// without MPS they take turns, and one that spins on another's flag would burn its turn.
//
// A call: each rank records `ready`; a barrier, since waiting for an event means its latest record
// so far; rank 0 makes its stream wait for all, launches, records `done`; a barrier; the others'
// streams wait for `done`.
#include "bench/allreduce/cuda/device_buffers.hpp"
#include "bench/allreduce/cuda/fused_reduce.hpp"
#include "bench/allreduce/cuda/shared_memory.hpp"

#include <cstdio>
#include <exception>
#include <optional>

namespace allreduce {

namespace {

constexpr unsigned shared_event = cudaEventInterprocess | cudaEventDisableTiming;

class CudaIpcBackend final : public DeviceBuffers {
public:
    // Throws Unavailable or CannotShare, at all ranks.
    explicit CudaIpcBackend(const Ranks& ranks) : ranks_(ranks), device_(ranks) {
        if (!device_.is_everyones())
            throw CannotShare(
                "ranks are on different GPUs; this backend is for ranks that share one");
        if (ranks.size() > fused_ranks_max)
            throw CannotShare("more than " + std::to_string(fused_ranks_max) + " ranks");
        ready_.emplace(shared_event);
        done_.emplace(shared_event);
        all_ready_.emplace(ranks, *ready_);
        all_done_.emplace(ranks, *done_);
        copy_GBps_ = copy_bandwidth(ranks);
        allocate({Dtype::float32, Op::sum, ranks.size(), 1, false});
    }
    // The other ranks are not here when one has failed.
    ~CudaIpcBackend() override {
        if (std::uncaught_exceptions() == 0) close_buffers();
    }

    void allocate(const Problem& problem) override {
        close_buffers();
        allocate_buffers(problem);
        outputs_.emplace(ranks_, output());
        if (!problem.in_place) inputs_.emplace(ranks_, input());
    }

    void all_reduce() override {
        ready_->record(stream_);
        ranks_.barrier();
        if (ranks_.rank() == 0) reduce_for_all();
        ranks_.barrier();
        if (ranks_.rank() != 0) wait_for(all_done_->of(0));
        stream_.wait();
    }

    std::string algorithm() const override { return "one kernel of rank 0 for all ranks"; }

    nlohmann::ordered_json run_figures() override {
        nlohmann::ordered_json figures = {{"path", "ipc-direct"}, {"gpu", device_.facts()}};
        figures["copy_GBps"] = copy_GBps_;
        figures["note"] =
            "emulated: ranks share one GPU's memory; busbw is no link's and falls as 1/ranks";
        return figures;
    }

    nlohmann::ordered_json row_figures(const Problem& problem, double time_us) override {
        const double bytes = 2.0 * problem.ranks * static_cast<double>(problem.bytes());
        const double efficiency = time_us > 0 ? bytes / (time_us * 1e3) / copy_GBps_ : 0;
        return {{"hbm_bytes", bytes},
                {"hbm_efficiency", efficiency},
                // Then it may be faster than memory.
                {"l2_resident", bytes <= static_cast<double>(device_.l2_bytes())}};
    }

private:
    void reduce_for_all() {
        FusedBuffers buffers{};
        for (int rank = 0; rank < ranks_.size(); ++rank) {
            if (rank != 0) wait_for(all_ready_->of(rank));
            buffers.out[rank] = outputs_->of(rank);
            buffers.in[rank] = problem().in_place ? buffers.out[rank] : inputs_->of(rank);
        }
        const int result =
            launch_fused_reduce(buffers, problem().dtype, problem().op, ranks_.size(),
                                problem().count, device_.multiprocessors(), stream_.get());
        check(static_cast<cudaError_t>(result), "reduce_kernel");
        done_->record(stream_);
    }

    void wait_for(cudaEvent_t event) const {
        check(cudaStreamWaitEvent(stream_.get(), event, 0), "cudaStreamWaitEvent");
    }

    // Rank 0 lets go before owners free.
    void close_buffers() {
        inputs_.reset();
        outputs_.reset();
        ranks_.barrier();
    }

    const Ranks ranks_;
    Device device_;
    Stream stream_;
    std::optional<Event> ready_, done_;
    std::optional<SharedEvents> all_ready_, all_done_;
    std::optional<SharedMemory> inputs_, outputs_;
    double copy_GBps_ = 0;
};

}  // namespace

std::unique_ptr<Backend> make_cuda_ipc_backend(const Ranks& ranks) {
    try {
        return std::make_unique<CudaIpcBackend>(ranks);
    } catch (const CannotShare& reason) {
        if (ranks.rank() == 0)
            std::fprintf(stderr, "allreduce: --backend cuda-ipc falls back to cuda-host: %s\n",
                         reason.what());
        return make_cuda_host_backend(ranks, reason.what());
    }
}

}  // namespace allreduce
