// The CUDA backends between real processes, on a CUDA run time without a GPU
// (tests/allreduce/fake_cuda).
#include "mpirun.hpp"

#include <gmock/gmock.h>

namespace allreduce {
namespace {

using testing::HasSubstr;

#ifdef ON_FAKE_CUDA
constexpr const char *program = ON_FAKE_CUDA, *nccl = FAKE_NCCL;
#else
constexpr const char *program = nullptr, *nccl = "";
#endif

class FakeCuda : public testing::Test {
protected:
    void SetUp() override {
        if (!have_mpirun())
            GTEST_SKIP() << "SKIPPED: no mpirun at " MPIRUN " (tools/install_packages)";
        if (!program) GTEST_SKIP() << "SKIPPED: built without CUDA's headers (tools/install_cuda)";
    }

    static Finished run(int ranks, std::vector<std::string> arguments,
                        std::map<std::string, std::string> environment = {}) {
        arguments.insert(arguments.begin(),
                         {program, "--json", "--iterations", "5", "--warmup", "1"});
        return mpirun({ranks, std::move(arguments), {}, std::move(environment)});
    }

    static void expect_right(const Finished& finished, std::size_t rows) {
        EXPECT_EQ(finished.code, 0) << finished.output;
        EXPECT_EQ(finished.of("row").size(), rows) << finished.output;
        for (const auto& row : finished.of("row")) EXPECT_EQ(row["wrong"], 0) << row;
    }
};

TEST_F(FakeCuda, RanksThatShareAGpuAreReducedByOneOfThem) {
    for (const int ranks : {1, 2, 4}) {
        const Finished finished = run(ranks, {"--backend", "cuda-ipc", "--sizes", "4,1000,1M"});
        expect_right(finished, 3);
        const auto facts = finished.of("run").at(0);
        EXPECT_EQ(facts["path"], "ipc-direct");
        EXPECT_EQ(facts["gpu"]["ranks_per_gpu"], ranks);
        EXPECT_GT(facts["copy_GBps"].get<double>(), 0);
        const auto rows = finished.of("row");
        EXPECT_EQ(rows[2]["hbm_bytes"], 2.0 * ranks * (1 << 20));
        EXPECT_EQ(rows[0]["l2_resident"], true);
        EXPECT_EQ(rows[2]["l2_resident"], false);
    }
}

TEST_F(FakeCuda, InPlaceInEveryType) {
    for (const char* backend : {"cuda-ipc", "cuda-host"}) {
        for (const char* dtype : {"float16", "float64", "int32"}) {
            const Finished finished = run(3, {"--backend", backend, "--sizes", "10K", "--in-place",
                                              "--op", "avg", "--dtype", dtype});
            expect_right(finished, 1);
        }
    }
}

TEST_F(FakeCuda, StagingByTheHostOverlapsChunks) {
    // 1 MiB in two chunks, 12 MiB and 4 bytes in four.
    const Finished finished = run(2, {"--backend", "cuda-host", "--sizes", "4,1M,12582916"});
    expect_right(finished, 3);
    EXPECT_EQ(finished.of("run").at(0)["path"], "host-staged");
}

TEST_F(FakeCuda, WhereHandlesAreRefusedTheHostStagesAndSaysWhy) {
    const Finished finished =
        run(2, {"--backend", "cuda-ipc", "--sizes", "1K"}, {{"FAKE_CUDA_NO_IPC", "1"}});
    expect_right(finished, 1);
    EXPECT_EQ(finished.of("run").at(0)["path"], "host-staged");
    EXPECT_EQ(finished.of("run").at(0)["fallback"],
              "cudaIpcGetEventHandle: operation not supported");
    EXPECT_THAT(finished.output, HasSubstr("cuda-ipc falls back to cuda-host"));
}

TEST_F(FakeCuda, RanksOnTwoGpusAreStagedByTheHost) {
    const Finished finished =
        run(2, {"--backend", "cuda-ipc", "--sizes", "1K"}, {{"FAKE_CUDA_DEVICES", "2"}});
    expect_right(finished, 1);
    EXPECT_EQ(finished.of("run").at(0)["gpu"]["ranks_per_gpu"], 1);
    EXPECT_THAT(finished.of("run").at(0)["fallback"].get<std::string>(),
                HasSubstr("different GPUs"));
}

TEST_F(FakeCuda, WithoutADeviceEveryBackendIsSkipped) {
    for (const char* backend : {"cuda-host", "cuda-ipc", "nccl"}) {
        const Finished finished = run(2, {"--backend", backend}, {{"FAKE_CUDA_DEVICES", "0"}});
        EXPECT_EQ(finished.code, 77) << finished.output;
        EXPECT_THAT(finished.output,
                    HasSubstr("SKIPPED: no GPU: no CUDA-capable device is detected"));
    }
}

TEST_F(FakeCuda, NcclReducesForRanksOnOneGpuWhereItMay) {
    std::map<std::string, std::string> environment = {{"LD_LIBRARY_PATH", nccl},
                                                      {"NCCL_MULTI_RANK_GPU_ENABLE", "1"}};
    for (const char* op : {"sum", "avg"}) {
        const Finished finished =
            run(3, {"--backend", "nccl", "--sizes", "4,64K", "--op", op}, environment);
        expect_right(finished, 2);
        EXPECT_EQ(finished.of("run").at(0)["path"], "nccl-multirank");
        EXPECT_EQ(finished.of("run").at(0)["nccl"], "2.32.3");
    }
    environment["NCCL_MULTI_RANK_GPU_ENABLE"] = "0";
    const Finished refused = run(2, {"--backend", "nccl"}, environment);
    EXPECT_EQ(refused.code, 77) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("Duplicate GPU detected (several ranks on one GPU need "
                                          "NCCL_MULTI_RANK_GPU_ENABLE=1)"));
    environment["FAKE_NCCL_VERSION"] = "22602";
    EXPECT_THAT(run(2, {"--backend", "nccl"}, environment).output,
                HasSubstr("need NCCL 2.30; this is 2.26.2"));
}

}  // namespace
}  // namespace allreduce
