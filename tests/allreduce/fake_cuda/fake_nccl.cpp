// A libnccl.so.2 over MPI, for fake CUDA's memory. It refuses ranks that share a GPU as NCCL does:
// before 2.30 always, since then unless NCCL_MULTI_RANK_GPU_ENABLE is 1. FAKE_NCCL_VERSION: 23203
// unless set.
#include "fake_cuda.hpp"

#include <mpi.h>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace {

struct UniqueId {
    char internal[128];
};

enum { success = 0, invalid_usage = 5 };
enum { type_int32 = 2, type_float32 = 7, type_float64 = 8 };
enum { op_max = 2, op_avg = 4 };

int version() {
    const char* text = std::getenv("FAKE_NCCL_VERSION");
    return text ? std::atoi(text) : 23203;
}

bool may_share_gpus() {
    const char* text = std::getenv("NCCL_MULTI_RANK_GPU_ENABLE");
    return version() >= 23000 && text && std::string(text) == "1";
}

int communicator_of_all = 0;

// Each rank's share first, as ncclAvg does for floats.
template <class T>
void all_reduce(const void* from, void* to, std::size_t count, MPI_Datatype type, int op,
                int ranks) {
    const T* values = static_cast<const T*>(from);
    std::vector<T> shares(values, values + count);
    if (op == op_avg)
        for (T& share : shares) share = share * (T{1} / static_cast<T>(ranks));
    PMPI_Allreduce(shares.data(), to, static_cast<int>(count), type,
                   op == op_max ? MPI_MAX : MPI_SUM, MPI_COMM_WORLD);
}

}  // namespace

extern "C" {

int ncclGetVersion(int* number) {
    *number = version();
    return success;
}

int ncclGetUniqueId(UniqueId* id) {
    std::strcpy(id->internal, "fake");
    return success;
}

int ncclCommInitRank(void** communicator, int, UniqueId id, int) {
    // Rank 0 makes the id, and all have to get it.
    if (std::strcmp(id.internal, "fake") != 0 || !may_share_gpus()) return invalid_usage;
    *communicator = &communicator_of_all;
    return success;
}

int ncclAllReduce(const void* from, void* to, std::size_t count, int type, int op, void*,
                  cudaStream_t) {
    int ranks = 0;
    PMPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (type == type_float32) all_reduce<float>(from, to, count, MPI_FLOAT, op, ranks);
    else if (type == type_float64) all_reduce<double>(from, to, count, MPI_DOUBLE, op, ranks);
    else if (type == type_int32 && op != op_avg)
        all_reduce<int>(from, to, count, MPI_INT, op, ranks);
    else return invalid_usage;
    return success;
}

int ncclCommDestroy(void*) { return success; }

const char* ncclGetErrorString(int) { return "invalid usage"; }

const char* ncclGetLastError(void*) { return "Duplicate GPU detected"; }
}
