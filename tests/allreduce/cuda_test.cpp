// What the CUDA backends compute and decide, on the CPU.
#include "bench/allreduce/cuda/chunks.hpp"
#include "bench/allreduce/cuda/fused_reduce.hpp"
#include "bench/allreduce/cuda/nccl_api.hpp"
#include "bench/allreduce/pattern.hpp"
#include "bench/allreduce/reduce.hpp"

#include <gmock/gmock.h>
#include <algorithm>
#include <cstring>

namespace allreduce {
namespace {

using testing::HasSubstr;

constexpr std::size_t threads = 7;

// As a rank's device memory: whole packs, and then what nobody may touch.
class Memory {
public:
    explicit Memory(std::size_t bytes)
        : bytes_(padded_bytes(bytes)), packs_(bytes_ / pack_bytes + 1) {
        std::memset(packs_.data(), 0x5a, packs_.size() * pack_bytes);
    }
    std::byte* data() { return reinterpret_cast<std::byte*>(packs_.data()); }
    bool is_end_untouched() {
        const std::byte* end = data() + bytes_;
        return std::all_of(end, end + pack_bytes, [](std::byte b) { return b == std::byte{0x5a}; });
    }

private:
    std::size_t bytes_;
    std::vector<Pack<float>> packs_;
};

// One thread after the other: no thread may need what another writes.
template <class T, class Operation>
void run_kernel(const FusedBuffers& buffers, const Problem& problem) {
    const bool is_average = problem.op == Op::avg;
    for (std::size_t thread = 0; thread < threads; ++thread) {
        const std::size_t packs = packs_of<T>(problem.count);
        if (problem.ranks <= 2)
            reduce_share<T, Operation, 2>(buffers, problem.ranks, is_average, packs, thread,
                                          threads);
        else
            reduce_share<T, Operation, 4>(buffers, problem.ranks, is_average, packs, thread,
                                          threads);
    }
}

void run_kernel(const FusedBuffers& buffers, const Problem& problem) {
    with_type(problem.dtype, [&](auto type) {
        using T = decltype(type);
        if (problem.op == Op::max) run_kernel<T, Max>(buffers, problem);
        else run_kernel<T, Sum>(buffers, problem);
    });
}

void expect_right(const Problem& problem) {
    std::vector<Memory> inputs, outputs;
    FusedBuffers buffers{};
    for (int rank = 0; rank < problem.ranks; ++rank) {
        inputs.emplace_back(problem.bytes());
        outputs.emplace_back(problem.bytes());
        fill_input(problem, 3, rank, (problem.in_place ? outputs : inputs).back().data());
        buffers.out[rank] = outputs.back().data();
        buffers.in[rank] = problem.in_place ? buffers.out[rank] : inputs.back().data();
    }
    run_kernel(buffers, problem);
    for (Memory& output : outputs) {
        EXPECT_EQ(count_wrong(problem, 3, output.data()), 0u)
            << facts(problem.dtype).name << " " << name(problem.op) << " over " << problem.ranks
            << " of " << problem.count;
        EXPECT_TRUE(output.is_end_untouched());
    }
}

TEST(FusedReduce, IsRightForEveryTypeOperationAndNumberOfRanks) {
    for (const Dtype dtype :
         {Dtype::float32, Dtype::float16, Dtype::bfloat16, Dtype::float64, Dtype::int32}) {
        for (const Op op : {Op::sum, Op::max, Op::avg}) {
            for (const int ranks : {1, 2, 3, 4, 5, 8, 16}) {
                for (const std::size_t count : {1, 8, 1001}) {
                    expect_right({dtype, op, ranks, count, false});
                    expect_right({dtype, op, ranks, count, true});
                }
            }
        }
    }
}

TEST(FusedReduce, KeepsSumsOf16BitFloatsInFloat) {
    // 256 + 1 is 256 in bfloat16: only a float keeps the ones.
    Pack<Bfloat16> in[3] = {}, out[3] = {};
    in[0].value[0] = to_bfloat16(256);
    in[1].value[0] = in[2].value[0] = to_bfloat16(1);
    const FusedBuffers buffers = {{&in[0], &in[1], &in[2]}, {&out[0], &out[1], &out[2]}};
    reduce_share<Bfloat16, Sum, 4>(buffers, 3, false, 1, 0, 1);
    EXPECT_EQ(to_float(out[2].value[0]), 258);
}

TEST(Chunks, CoverEverythingInOrderAndAreNeverTooLong) {
    for (const std::size_t count : {0, 1, 7, 1000, 1024, 1025, 100'000}) {
        for (const std::size_t element : {2, 4, 8}) {
            std::size_t next = 0;
            for (const Chunk& chunk : chunks(count, element, 1024, 4096)) {
                EXPECT_EQ(chunk.first, next);
                EXPECT_LE(chunk.count * element, 4096u) << count;
                next += chunk.count;
            }
            EXPECT_EQ(next, count);
        }
    }
}

TEST(Chunks, AreTwoWhereThatPaysAndOneWhereNot) {
    EXPECT_EQ(chunks(1024, 4, 1024, 1 << 20).size(), 2u);
    EXPECT_EQ(chunks(511, 4, 1024, 1 << 20).size(), 1u);
    EXPECT_EQ(chunks(1 << 20, 4, 1024, 1 << 20).size(), 4u);
}

TEST(Nccl, VersionsAreReadAsNcclWritesThem) {
    EXPECT_EQ(nccl_version_text(2804), "2.8.4");
    EXPECT_EQ(nccl_version_text(22602), "2.26.2");
    EXPECT_EQ(nccl_version_text(23203), "2.32.3");
}

TEST(Nccl, RanksOnOneGpuNeedANewVersionAndConsent) {
    EXPECT_EQ(shared_gpu_hint(23203, true), "");
    EXPECT_THAT(shared_gpu_hint(23203, false), HasSubstr("NCCL_MULTI_RANK_GPU_ENABLE=1"));
    EXPECT_THAT(shared_gpu_hint(22602, true), HasSubstr("need NCCL 2.30; this is 2.26.2"));
}

TEST(Nccl, ALibraryThatIsNotThereIsAReason) {
    std::string reason;
    if (load_nccl(reason)) GTEST_SKIP() << "SKIPPED: NCCL is installed here";
    EXPECT_THAT(reason, HasSubstr("libnccl.so.2"));
}

}  // namespace
}  // namespace allreduce
