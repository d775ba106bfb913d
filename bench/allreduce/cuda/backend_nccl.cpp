// ncclAllReduce on device buffers.
#include "bench/allreduce/cuda/device_buffers.hpp"
#include "bench/allreduce/cuda/nccl_api.hpp"

#include <cstdlib>

namespace allreduce {

namespace {

NcclApi loaded_nccl(const Ranks& ranks) {
    std::string reason;
    const auto api = load_nccl(reason);
    if (ranks.any(!api)) throw Unavailable("no NCCL: " + (api ? "another rank has none" : reason));
    return *api;
}

bool multi_rank_gpu_enabled() {
    const char* value = std::getenv("NCCL_MULTI_RANK_GPU_ENABLE");
    return value && std::string(value) == "1";
}

class NcclBackend final : public DeviceBuffers {
public:
    explicit NcclBackend(const Ranks& ranks) : device_(ranks), api_(loaded_nccl(ranks)) {
        require(api_.get_version(&version_), "ncclGetVersion");
        connect(ranks);
    }
    ~NcclBackend() override { api_.comm_destroy(communicator_); }

    void allocate(const Problem& problem) override { allocate_buffers(problem); }

    void all_reduce() override {
        require(api_.all_reduce(input(), output(), problem().count, nccl_type(problem().dtype),
                                nccl_op(problem().op), communicator_, stream_.get()),
                "ncclAllReduce");
        stream_.wait();
    }

    std::string algorithm() const override {
        return "NCCL " + nccl_version_text(version_) + "'s choice by size";
    }
    // ncclAvg of floats multiplies by 1/n before it sums.
    bool inexact_average() const override { return true; }

    nlohmann::ordered_json run_figures() override {
        nlohmann::ordered_json figures = {{"gpu", device_.facts()},
                                          {"nccl", nccl_version_text(version_)}};
        figures["path"] = device_.any_shared() ? "nccl-multirank" : "nccl";
        if (device_.any_shared())
            figures["note"] = "emulated: ranks share a GPU; busbw is no link's";
        return figures;
    }

private:
    void connect(const Ranks& ranks) {
        const std::string hint =
            device_.any_shared() ? shared_gpu_hint(version_, multi_rank_gpu_enabled()) : "";
        NcclUniqueId id{};
        if (ranks.rank() == 0) require(api_.get_unique_id(&id), "ncclGetUniqueId");
        std::vector<NcclUniqueId> ids(static_cast<std::size_t>(ranks.size()));
        ranks.gather_bytes(&id, ids.data(), sizeof id);
        // Where NCCL refuses, it does at all ranks.
        const int result = api_.comm_init_rank(&communicator_, ranks.size(), ids[0], ranks.rank());
        if (!ranks.any(result != 0)) return;
        std::string reason = "ncclCommInitRank: " + explained(result);
        if (!hint.empty()) reason += " (" + hint + ")";
        throw Unavailable(reason);
    }

    std::string explained(int result) const {
        std::string text = api_.get_error_string(result);
        const char* details = api_.get_last_error ? api_.get_last_error(nullptr) : nullptr;
        if (details && *details) text += std::string(": ") + details;
        return text;
    }

    void require(int result, const char* call) const {
        if (result != 0) throw std::runtime_error(std::string(call) + ": " + explained(result));
    }

    Device device_;
    NcclApi api_;
    int version_ = 0;
    void* communicator_ = nullptr;
    Stream stream_;
};

}  // namespace

std::unique_ptr<Backend> make_nccl_backend(const Ranks& ranks) {
    return std::make_unique<NcclBackend>(ranks);
}

}  // namespace allreduce
