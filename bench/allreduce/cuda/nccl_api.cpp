#include "bench/allreduce/cuda/nccl_api.hpp"

#include <dlfcn.h>

namespace allreduce {

namespace {

constexpr int multi_rank_gpu_since = 23000;

template <class Function>
bool find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

}  // namespace

std::optional<NcclApi> load_nccl(std::string& reason) {
    void* library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        reason = dlerror();
        return std::nullopt;
    }
    NcclApi api;
    find(library, "ncclGetLastError", api.get_last_error);
    const bool complete = find(library, "ncclGetVersion", api.get_version) &&
                          find(library, "ncclGetUniqueId", api.get_unique_id) &&
                          find(library, "ncclCommInitRank", api.comm_init_rank) &&
                          find(library, "ncclAllReduce", api.all_reduce) &&
                          find(library, "ncclCommDestroy", api.comm_destroy) &&
                          find(library, "ncclGetErrorString", api.get_error_string);
    if (complete) return api;
    reason = "libnccl.so.2 lacks a function of NCCL 2";
    return std::nullopt;
}

int nccl_type(Dtype dtype) {
    switch (dtype) {
        case Dtype::int32:
            return 2;
        case Dtype::float16:
            return 6;
        case Dtype::float64:
            return 8;
        case Dtype::bfloat16:
            return 9;
        case Dtype::float32:
            break;
    }
    return 7;
}

int nccl_op(Op op) {
    if (op == Op::max) return 2;
    return op == Op::avg ? 4 : 0;
}

std::string nccl_version_text(int version) {
    const int major = version / (version < 10000 ? 1000 : 10000);
    return std::to_string(major) + "." +
           std::to_string(version / 100 % (version < 10000 ? 10 : 100)) + "." +
           std::to_string(version % 100);
}

std::string shared_gpu_hint(int version, bool is_enabled) {
    if (version < multi_rank_gpu_since)
        return "several ranks on one GPU need NCCL 2.30; this is " + nccl_version_text(version);
    return is_enabled ? "" : "several ranks on one GPU need NCCL_MULTI_RANK_GPU_ENABLE=1";
}

}  // namespace allreduce
