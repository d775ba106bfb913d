// The part of NCCL used here, declared as nccl.h does (NCCL 2.x ABI) and found in libnccl.so.2 at
// run time: the program runs where there is none.
#pragma once

#include "bench/allreduce/dtype.hpp"

#include <cstddef>
#include <optional>
#include <string>

struct CUstream_st;  // cudaStream_t points to one

namespace allreduce {

struct NcclUniqueId {
    char internal[128];
};

struct NcclApi {
    int (*get_version)(int*) = nullptr;
    int (*get_unique_id)(NcclUniqueId*) = nullptr;
    int (*comm_init_rank)(void**, int, NcclUniqueId, int) = nullptr;
    int (*all_reduce)(const void*, void*, std::size_t, int, int, void*, CUstream_st*) = nullptr;
    int (*comm_destroy)(void*) = nullptr;
    const char* (*get_error_string)(int) = nullptr;
    const char* (*get_last_error)(void*) = nullptr;  // since 2.13; may be missing
};

// Nothing when the library is not there; `reason` says why.
std::optional<NcclApi> load_nccl(std::string& reason);

// ncclDataType_t and ncclRedOp_t.
int nccl_type(Dtype dtype);
int nccl_op(Op op);

// 23002 -> "2.30.2"; before 2.9, 2804 -> "2.8.4" (NCCL_VERSION of nccl.h).
std::string nccl_version_text(int version);

// What to do about ranks that share a GPU: "" when NCCL will do it. Since 2.30 it can,
// experimentally, when NCCL_MULTI_RANK_GPU_ENABLE is 1 (NCCL's documentation, env.rst).
std::string shared_gpu_hint(int version, bool is_enabled);

}  // namespace allreduce
