#include "simulator/bench/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace shed::bench {
namespace {

using testing::ElementsAre;

AllReducePlan plan_of(const std::string& backend, const std::string& transport = "veth") {
    AllReducePlan plan;
    plan.nodes = 4;
    plan.slots = 2;
    plan.backend = backend;
    plan.transport = transport;
    plan.program_options = {"--min", "8"};
    return plan;
}

TEST(AllReducePlanTest, GivesBothSidesTheSameWords) {
    Places bare;
    bare.program = "/usr/libexec/trainshed/allreduce";
    EXPECT_THAT(mpirun_words(plan_of("mpi"), bare, 0),
                ElementsAre("/usr/libexec/trainshed/allreduce", "--backend", "mpi", "--min", "8", "--json"));
    const Json job = trainjob_for(plan_of("mpi"), "a");
    EXPECT_EQ(job.at("spec").at("trainer").at("command").dump(),
              R"(["mpirun","--hostfile","/etc/mpi/hostfile","/opt/trainshed/bin/allreduce","--backend","mpi","--min","8","--json"])");
}

TEST(AllReducePlanTest, CarriesVariablesToRanksOnOtherNodes) {
    AllReducePlan plan = plan_of("mlx");
    plan.link = "slow.yaml";
    EXPECT_THAT(mpirun_words(plan, in_pods(plan), 20),
                ElementsAre("-x", "TRAINSHED_LINK=/opt/trainshed/slow.yaml", "-x",
                            "MLX_MPI_LIBNAME=/opt/trainshed/bin/libtrainshed_pace.so", "python",
                            "/opt/trainshed/bin/mlx_allreduce.py", "--min", "8", "--delay", "20", "--json"));
}

TEST(AllReducePlanTest, SharedMemoryIsOnePodWithAllRanks) {
    const Json job = trainjob_for(plan_of("mpi", "shm"), "a");
    EXPECT_EQ(job.at("spec").at("trainer").at("numNodes"), 1);
    EXPECT_EQ(job.at("spec").at("trainer").at("numProcPerNode"), 8);
    EXPECT_EQ(plan_of("mpi", "shm").workers(), 1);
    const Json veth = trainjob_for(plan_of("mpi"), "a");
    EXPECT_EQ(veth.at("spec").at("trainer").at("numNodes"), 4);
    EXPECT_EQ(veth.at("spec").at("trainer").at("numProcPerNode"), 2);
}

// Recorded: a job of one node has a worker beside a launcher that is a node itself, and so twice its ranks.
TEST(AllReducePlanTest, OnePodIsNotTheLaunchers) {
    const Json shipped = {{"spec", {{"mlPolicy", {{"mpi", {{"runLauncherAsNode", true}}}}}}}};
    const auto launcher_is_node = [&](const char* transport) {
        return runtime_for(plan_of("mpi", transport), shipped)["spec"]["mlPolicy"]["mpi"]["runLauncherAsNode"];
    };
    EXPECT_EQ(launcher_is_node("shm"), false);
    EXPECT_EQ(launcher_is_node("veth"), true);
}

TEST(AllReducePlanTest, OnlyMlxNeedsItsImage) {
    const Json container = {{"name", "node"}, {"image", "mlx"}};
    const Json shipped = {{"apiVersion", "trainer.kubeflow.org/v1alpha1"},
                          {"kind", "ClusterTrainingRuntime"},
                          {"metadata", {{"name", "mlx-distributed"}, {"uid", "x"}, {"labels", {{"a", "b"}}}}},
                          {"spec", {{"containers", {container}}}}};
    const Json mpi = runtime_for(plan_of("mpi"), shipped);
    EXPECT_EQ(mpi.at("spec").at("containers").at(0).at("image"), "mpioperator/openmpi");
    EXPECT_EQ(mpi.at("metadata").dump(), R"({"labels":{"a":"b"},"name":"trainshed-allreduce"})");
    EXPECT_EQ(runtime_for(plan_of("mlx"), shipped).at("spec").at("containers").at(0).at("image"), "mlx");
}

}  // namespace
}  // namespace shed::bench
