#include "simulator/why/diagnosis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Case {
    const char* name;
    int exit_code;
    const char* log;
    std::optional<int> rank;
    std::string node;
    int signal;
    const char* hint;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Output : public testing::TestWithParam<Case> {};

TEST_P(Output, TellsRankHostSignalAndWhatToDo) {
    FirstFailure failure;
    failure.exit_code = GetParam().exit_code;
    explain(failure, GetParam().log);
    EXPECT_EQ(failure.rank, GetParam().rank);
    EXPECT_EQ(failure.node, GetParam().node);
    EXPECT_EQ(failure.signal, GetParam().signal);
    EXPECT_THAT(failure.hint, HasSubstr(GetParam().hint));
}

const Case cases[] = {
    {"a Python exception", 1,
     "Traceback (most recent call last):\n  File \"<string>\", line 1, in <module>\n"
     "ModuleNotFoundError: No module named 'nosuch.part'\n"
     "--------------------------------------------------------------------------\n"
     "mpirun detected that one or more processes exited with non-zero status, thus causing\n"
     "the job to be terminated. The first process to do so was:\n\n"
     "  Process name: [[64356,1],2]\n  Exit code:    1\n"
     "--------------------------------------------------------------------------\n",
     2, "", 0, "packages_to_install=[\"nosuch\"]"},
    {"a rank that was killed", 137,
     "--------------------------------------------------------------------------\n"
     "mpirun noticed that process rank 1 with PID 0 on node train-node-0-1 exited on signal 9 (Killed).\n"
     "--------------------------------------------------------------------------\n",
     1, "train-node-0-1", 9, "killed"},
    {"the same, wrapped", 139,
     "mpirun noticed that process rank 3 with PID 0 on node\n"
     "train-node-0-1 exited on signal 11 (Segmentation fault).\n",
     3, "train-node-0-1", 11, "segmentation"},
    {"MPI_Abort", 5, "MPI_ABORT was invoked on rank 4 in communicator MPI_COMM_WORLD\nwith errorcode 5.\n", 4, "", 0, ""},
    {"an initializer, whose cause has the words of another hint", 1,
     "initializer: s3://b/x: host.trainshed.internal:1 cannot be reached from this pod ([Errno "
     "111] Connection refused); start the service on this machine, or correct the port\n",
     std::nullopt, "", 0, "start the service on this machine, or correct the port"},
    {"what only looks like one", 1, "the initializer: x; y\nMemoryError\n", std::nullopt, "", 0,
     "out of memory"},
    {"torchrun", 1,
     "============================================================\nRoot Cause (first observed failure):\n[0]:\n"
     "  time      : 2026-11-26_07:10:06\n  host      : train-node-0-2\n  rank      : 2 (local_rank: 0)\n"
     "  exitcode  : 1 (pid: 41)\n",
     2, "train-node-0-2", 0, ""},
    {"too few slots", 1, "There are not enough slots available in the system to satisfy the 9\n", std::nullopt, "", 0,
     "numProcPerNode"},
    {"a worker without sshd", 255, "ssh: connect to host a-node-0-0.a port 2222: Connection refused\r\n", std::nullopt,
     "", 0, "sshd"},
    {"an unknown name", 255, "ssh: Could not resolve hostname a-node-0-0.a: Name or service not known\n", std::nullopt, "",
     0, "publishNotReadyAddresses"},
    {"nothing printed", 137, "", std::nullopt, "", 9, "SIGKILL"},
};

std::string test_name(const testing::TestParamInfo<Case>& row) {
    std::string name = row.param.name;
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
}

INSTANTIATE_TEST_SUITE_P(Known, Output, testing::ValuesIn(cases), test_name);

TEST(OutputTail, LeavesOutWhatSshAndMpirunAlwaysSay) {
    FirstFailure failure;
    failure.exit_code = 1;
    explain(failure,
            "Warning: Permanently added 'a' (ECDSA) to the list of known hosts.\r\n"
            "one\ntwo\nValueError: no\r\n"
            "--------------------------------------------------------------------------\n"
            "Primary job  terminated normally, but 1 process returned\n"
            "a non-zero exit code. Per user-direction, the job has been aborted.\n");
    EXPECT_THAT(failure.log_tail, ElementsAre("one", "two", "ValueError: no"));
}

TEST(OutputTail, IsShort) {
    std::string log;
    for (int i = 0; i < 500; ++i) log += "line " + std::to_string(i) + "\n";
    FirstFailure failure;
    failure.exit_code = 1;
    explain(failure, log);
    EXPECT_EQ(failure.log_tail.size(), 12u);
    EXPECT_EQ(failure.log_tail.back(), "line 499");
}

TEST(OutputTail, OfAnEmptyLogIsEmpty) {
    FirstFailure failure;
    explain(failure, "");
    EXPECT_THAT(failure.log_tail, IsEmpty());
}

TEST(Output, AnExitCodeIsOnlyASignalWhereThereIsSuchASignal) {
    FirstFailure failure;
    failure.exit_code = 255;  // ssh's own: no signal has the number 127
    explain(failure, "");
    EXPECT_EQ(failure.signal, 0);
}

TEST(Output, AWorkersSshdSaysWhyItEnded) {
    FirstFailure failure;
    failure.program = "sshd";
    failure.exit_code = 255;
    explain(failure, "command-line: line 0: Bad configuration option: Nonsense\n");
    EXPECT_EQ(failure.hint,
              "sshd exited 255: command-line: line 0: Bad configuration option: Nonsense");
}

}  // namespace
}  // namespace shed
