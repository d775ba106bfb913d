#include "mpirun.hpp"

#include <gmock/gmock.h>
#include <unistd.h>
#include <cmath>
#include <fstream>
#include <set>

namespace allreduce {
namespace {

using testing::AllOf;
using testing::Gt;
using testing::HasSubstr;
using testing::Lt;

class Program : public testing::Test {
protected:
    void SetUp() override {
        if (!have_mpirun())
            GTEST_SKIP() << "SKIPPED: no mpirun at " MPIRUN " (tools/install_packages)";
    }

    static Finished run(int ranks, std::vector<std::string> arguments,
                        std::map<std::string, std::string> environment = {},
                        std::vector<std::string> options = {}) {
        arguments.insert(arguments.begin(), {ALLREDUCE, "--json"});
        return mpirun({ranks, std::move(arguments), std::move(options), std::move(environment)});
    }
};

class AllTypes : public Program, public testing::WithParamInterface<int> {};

TEST_P(AllTypes, AreReducedRightByEveryOperation) {
    const Finished finished = mpirun({GetParam(), {ALL_TYPES}, {}, {}});
    ASSERT_EQ(finished.code, 0) << finished.output;
    std::set<std::string> kinds;
    for (const auto& row : finished.of("row")) {
        EXPECT_EQ(row["wrong"], 0) << row;
        kinds.insert(row["dtype"].get<std::string>() + row["op"].get<std::string>() +
                     row["in_place"].dump());
    }
    EXPECT_EQ(kinds.size(), 5u * 3 * 2);
    EXPECT_EQ(finished.of("row").size(), kinds.size() * 2);
}

INSTANTIATE_TEST_SUITE_P(Ranks, AllTypes, testing::Values(2, 3, 4));

TEST_F(Program, PrintsEveryKindOfLineAndATable) {
    const Finished finished =
        run(3, {"--sizes", "1K,64K", "--iterations", "700", "--timing", "osu"});
    ASSERT_EQ(finished.code, 0) << finished.output;
    const auto run_lines = finished.of("run"), rows = finished.of("row"), ends = finished.of("end");
    ASSERT_EQ(run_lines.size(), 1u);
    EXPECT_EQ(run_lines[0]["ranks"], 3);
    EXPECT_EQ(run_lines[0]["hosts"][0]["ranks"], 3);
    EXPECT_THAT(run_lines[0]["mpi"].get<std::string>(), HasSubstr("MPI"));
    EXPECT_EQ(run_lines[0]["binding"], "none");
    EXPECT_GT(run_lines[0]["init_done_unix_s"], run_lines[0]["unix_s"]);
    ASSERT_EQ(rows.size(), 2u);
    for (const auto& row : rows) {
        std::size_t samples = 0;
        for (const auto& line : finished.of("samples"))
            if (line["bytes"] == row["bytes"]) samples += line["us"].size();
        EXPECT_EQ(samples, row["iterations"]);
        EXPECT_THAT(row["other_cpu_share"].get<double>(), AllOf(testing::Ge(0), testing::Le(1)));
    }
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_EQ(ends[0]["wrong"], 0);
    EXPECT_THAT(finished.output, HasSubstr("redop   root    time"));
}

TEST_F(Program, SaysWhichTransportMovedTheBytesAndWhoChoseIt) {
    const Finished memory = run(2, {"--sizes", "8", "--quiet"});
    ASSERT_EQ(memory.code, 0) << memory.output;
    EXPECT_THAT(memory.of("run")[0]["transports"][0], testing::AnyOf("vader", "sm"));
    EXPECT_THAT(memory.output, Not(HasSubstr("redop")));

    const Finished tcp = run(2, {"--sizes", "8"}, {{"OMPI_MCA_coll_tuned_priority", "31"}},
                             {"--mca", "btl", "self,tcp"});
    ASSERT_EQ(tcp.code, 0) << tcp.output;
    const auto facts = tcp.of("run")[0];
    EXPECT_EQ(facts["transports"].dump(), R"(["tcp"])");
    std::map<std::string, std::string> sources;
    for (const auto& parameter : facts["mca"])
        sources[parameter["name"].get<std::string>()] = parameter["source"].get<std::string>();
    EXPECT_EQ(sources["btl"], "command line");
    EXPECT_EQ(sources["coll_tuned_priority"], "environment");
    EXPECT_EQ(sources.count("orte_hnp_uri"), 0u);
}

TEST_F(Program, FindsOneWrongBit) {
    const Finished finished = run(2, {"--sizes", "4,1M", "--iterations", "5"},
                                  {{"LD_PRELOAD", BROKEN_MPI}, {"BROKEN_MPI", "flip"}});
    EXPECT_EQ(finished.code, 1) << finished.output;
    // One element on one of two ranks, in the last call and in the one with a fresh input.
    for (const auto& row : finished.of("row")) EXPECT_EQ(row["wrong"], 2) << row;
    EXPECT_EQ(finished.of("end").at(0)["wrong"], 4);
    EXPECT_THAT(finished.output, HasSubstr("FAILED"));
}

TEST_F(Program, FindsAnAllReduceThatDoesNothing) {
    for (const char* place : {"--in-place", "--out-of-place"}) {
        // 5 warm-up calls and 15 measured ones: the last of these and the fresh one are idle.
        const Finished finished = run(2, {"--sizes", "4K", "--iterations", "15", place},
                                      {{"LD_PRELOAD", BROKEN_MPI}, {"BROKEN_MPI", "idle"}});
        EXPECT_EQ(finished.code, 1) << finished.output;
        EXPECT_GT(finished.of("row").at(0)["wrong"].get<int>(), 2 * 2 * 900) << place;
    }
}

TEST_F(Program, RefusesMistakesOnAllRanksWithoutHanging) {
    const Finished finished = run(3, {"--max", "12Q"});
    EXPECT_EQ(finished.code, 2) << finished.output;
    EXPECT_THAT(finished.output, HasSubstr("--max: '12Q' is not a size"));
    const Finished unlike =
        mpirun({1, {ALLREDUCE, "--max", "8", ":", "-n", "1", ALLREDUCE, "--max", "9"}, {}, {}});
    EXPECT_EQ(unlike.code, 2) << unlike.output;
    EXPECT_THAT(unlike.output, HasSubstr("ranks were given different options"));
}

// Verified where there is a GPU; elsewhere it says why not, at all ranks.
TEST_F(Program, ReducesOnAGpuOrSaysWhyNot) {
    for (const char* backend : {"cuda-host", "cuda-ipc", "nccl"}) {
        const Finished finished =
            run(2, {"--sizes", "8,1M", "--iterations", "5", "--backend", backend});
        if (finished.code == 77) {
            EXPECT_THAT(finished.output, HasSubstr("allreduce: SKIPPED: "));
            continue;
        }
        EXPECT_EQ(finished.code, 0) << finished.output;
        EXPECT_EQ(finished.of("end").at(0)["wrong"], 0);
    }
}

// A link so slow that a busy machine keeps up: 40 Mbit/s, 210 ms for 1 MiB between two ranks. Ranks
// that poll without pause are the first that the scheduler puts off.
class Paced : public Program {
protected:
    void SetUp() override {
        Program::SetUp();
        if (IsSkipped()) return;
        path_ = testing::TempDir() + "link-" + std::to_string(getpid()) + ".yaml";
        write("latency_us: 100\nbandwidth_gbps: 0.04\n");
    }
    void TearDown() override { unlink(path_.c_str()); }

    void write(const std::string& text) const { std::ofstream(path_) << text; }
    std::map<std::string, std::string> environment() const {
        return {
            {"LD_PRELOAD", PACE}, {"TRAINSHED_LINK", path_}, {"OMPI_MCA_mpi_yield_when_idle", "1"}};
    }

    std::string path_;
};

TEST_F(Paced, AnAllReduceTakesAsLongAsTheLinkModelSays) {
    const Finished finished = run(
        2, {"--sizes", "1M", "--iterations", "8", "--warmup", "1", "--budget", "9"}, environment());
    ASSERT_EQ(finished.code, 0) << finished.output;
    const auto row = finished.of("row").at(0);
    const double target = 2 * 100 + 1048576 * 8 / 40.0;
    EXPECT_DOUBLE_EQ(row["target_us"].get<double>(), std::round(target * 1e3) / 1e3);
    EXPECT_GE(row["us"]["min"].get<double>(), target);
    EXPECT_LT(row["us"]["p50"].get<double>(), target * 1.05);
    EXPECT_LT(row["infeasible"].get<double>(), 0.05);
    EXPECT_EQ(finished.of("run").at(0)["link"], path_);
}

TEST_F(Paced, ADelayOfTwentyPercentShowsAsTwentyPercent) {
    const std::vector<std::string> plain = {"--sizes",  "1M", "--iterations", "10",
                                            "--warmup", "1",  "--budget",     "9"};
    std::vector<std::string> delayed = plain;
    delayed.insert(delayed.end(), {"--delay", "20"});
    const Finished before = run(2, plain, environment()), after = run(2, delayed, environment());
    ASSERT_EQ(before.code, 0) << before.output;
    ASSERT_EQ(after.code, 0) << after.output;
    EXPECT_EQ(after.of("run").at(0)["delay_percent"], 20);
    const double ratio = after.of("row").at(0)["us"]["p50"].get<double>() /
                         before.of("row").at(0)["us"]["p50"].get<double>();
    EXPECT_THAT(ratio, AllOf(Gt(1.15), Lt(1.25)));
}

TEST_F(Paced, CallsThatTheMachineCannotDoInTimeAreCounted) {
    write("latency_us: 0\nbandwidth_gbps: 100000\n");
    const Finished finished = run(2, {"--sizes", "1M", "--iterations", "10"}, environment());
    ASSERT_EQ(finished.code, 0) << finished.output;
    EXPECT_EQ(finished.of("row").at(0)["infeasible"], 1);
    EXPECT_THAT(finished.output, HasSubstr("100 % of calls slower than the link"));
}

TEST_F(Paced, AnUnreadableLinkEndsTheRun) {
    write("latency_us: 100\nbandwith_gbps: 1\n");
    const Finished finished = run(2, {"--sizes", "8"}, environment());
    EXPECT_EQ(finished.code, 2) << finished.output;
    EXPECT_THAT(finished.output, HasSubstr(path_ + ": bandwith_gbps: unknown field"));
}

}  // namespace
}  // namespace allreduce
