#include "bench/allreduce/cuda/shared_memory.hpp"

#include <utility>

namespace allreduce {

namespace {

// One rank's failure is everyone's: the first reason in order of ranks is thrown at all.
void agree(const Ranks& ranks, const char* call, cudaError_t result) {
    const bool failed = result != cudaSuccess;
    if (!ranks.any(failed)) return;
    cudaGetLastError();  // so that no later call reports it again
    const auto reasons =
        ranks.gather(failed ? std::string(call) + ": " + cudaGetErrorString(result) : "");
    for (const std::string& reason : reasons)
        if (!reason.empty()) throw CannotShare(reason);
}

template <class Handle>
std::vector<Handle> exchanged(const Ranks& ranks, const Handle& mine) {
    std::vector<Handle> all(static_cast<std::size_t>(ranks.size()));
    ranks.gather_bytes(&mine, all.data(), sizeof mine);
    return all;
}

}  // namespace

SharedMemory::SharedMemory(const Ranks& ranks, void* memory)
    : addresses_(static_cast<std::size_t>(ranks.size())), own_rank_(ranks.rank()) {
    cudaIpcMemHandle_t mine{};
    agree(ranks, "cudaIpcGetMemHandle", cudaIpcGetMemHandle(&mine, memory));
    const auto handles = exchanged(ranks, mine);
    addresses_[static_cast<std::size_t>(own_rank_)] = memory;
    cudaError_t result = cudaSuccess;
    for (std::size_t rank = 1; own_rank_ == 0 && rank < handles.size(); ++rank) {
        const auto one =
            cudaIpcOpenMemHandle(&addresses_[rank], handles[rank], cudaIpcMemLazyEnablePeerAccess);
        if (one != cudaSuccess) result = one;
    }
    try {
        agree(ranks, "cudaIpcOpenMemHandle", result);
    } catch (const CannotShare&) {
        close();
        throw;
    }
}

void SharedMemory::close() {
    for (std::size_t rank = 0; rank < addresses_.size(); ++rank) {
        void* const address = std::exchange(addresses_[rank], nullptr);
        if (address && static_cast<int>(rank) != own_rank_) cudaIpcCloseMemHandle(address);
    }
}

SharedEvents::SharedEvents(const Ranks& ranks, const Event& mine)
    : events_(static_cast<std::size_t>(ranks.size())), own_rank_(ranks.rank()) {
    cudaIpcEventHandle_t handle{};
    agree(ranks, "cudaIpcGetEventHandle", cudaIpcGetEventHandle(&handle, mine.get()));
    const auto handles = exchanged(ranks, handle);
    cudaError_t result = cudaSuccess;
    for (std::size_t rank = 0; rank < handles.size(); ++rank) {
        if (static_cast<int>(rank) == own_rank_) continue;
        const auto one = cudaIpcOpenEventHandle(&events_[rank], handles[rank]);
        if (one != cudaSuccess) result = one, events_[rank] = nullptr;
    }
    events_[static_cast<std::size_t>(own_rank_)] = mine.get();
    agree(ranks, "cudaIpcOpenEventHandle", result);
}

SharedEvents::~SharedEvents() {
    for (std::size_t rank = 0; rank < events_.size(); ++rank)
        if (events_[rank] && static_cast<int>(rank) != own_rank_) cudaEventDestroy(events_[rank]);
}

}  // namespace allreduce
