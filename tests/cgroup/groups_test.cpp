#include "tests/cgroup/fake_host.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

namespace shed {
namespace {

using testing::ElementsAre;

CgroupLimits half_a_cpu_and_64_mebibytes() {
    CgroupLimits limits;
    limits.own_cpu = true;
    limits.cpu_shares = cpu_shares_of(250);
    limits.cpu_quota_us = cpu_quota_of(500);
    limits.memory_bytes = 64 << 20;
    limits.pids = 100;
    limits.die_as_one = true;
    return limits;
}

TEST(CgroupFormulas, AreTheKubelets) {
    EXPECT_EQ(cpu_shares_of(0), 2);
    EXPECT_EQ(cpu_shares_of(1), 2);
    EXPECT_EQ(cpu_shares_of(250), 256);
    EXPECT_EQ(cpu_shares_of(1'000'000), 262'144);
    EXPECT_EQ(cpu_quota_of(500), 50'000);
    EXPECT_EQ(cpu_quota_of(1), 1000);
    EXPECT_EQ(cpu_weight_of(2), 1);
    EXPECT_EQ(cpu_weight_of(1024), 100);
    EXPECT_EQ(cpu_weight_of(256), 35);
    EXPECT_EQ(cpu_weight_of(262'144), 10'000);
}

class CgroupTreeTest : public FakeCgroups {
protected:
    // The kernel puts its files into a new group; here, they must be there before they are written.
    void files(const std::string& directory, const std::vector<std::string>& names) {
        for (const std::string& name : names) write(directory + "/" + name, "");
    }
    const std::vector<std::string> files_v2 = {"cgroup.procs",     "cgroup.subtree_control",
                                               "memory.max",       "memory.swap.max",
                                               "memory.oom.group", "cpu.weight",
                                               "cpu.max",          "pids.max"};
};

TEST_F(CgroupTreeTest, SetsLimitsOfVersion1WhereTheControllersAre) {
    for (const char* controller : {"memory", "cpu", "pids"}) v1(controller, "/");
    CgroupTree tree(detect(), "a");
    const std::string top = root + "/sys/fs/cgroup/";
    EXPECT_THAT(tree.directories(), ElementsAre(top + "memory/trainshed-a", top + "cpu/trainshed-a",
                                                top + "pids/trainshed-a"));
    const std::string at = "/trainshed-a/uid/main.0";
    // Swap is not accounted for here.
    files("/sys/fs/cgroup/memory" + at, {"memory.limit_in_bytes", "cgroup.procs"});
    for (const std::string& group :
         {std::string("/trainshed-a"), std::string("/trainshed-a/uid"), at})
        files("/sys/fs/cgroup/cpu" + group,
              {"cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us", "cgroup.procs"});
    files("/sys/fs/cgroup/pids" + at, {"pids.max", "cgroup.procs"});
    tree.make();
    CgroupLimits pod;
    pod.own_cpu = true;
    pod.cpu_shares = 300;
    ASSERT_TRUE(tree.make_pod("uid", pod));
    const auto made = tree.make_container("uid", "main.0", half_a_cpu_and_64_mebibytes());
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(read("/sys/fs/cgroup/memory" + at + "/memory.limit_in_bytes"), "67108864");
    EXPECT_EQ(read("/sys/fs/cgroup/cpu" + at + "/cpu.shares"), "256");
    EXPECT_EQ(read("/sys/fs/cgroup/cpu" + at + "/cpu.cfs_quota_us"), "50000");
    EXPECT_EQ(read("/sys/fs/cgroup/cpu" + at + "/cpu.cfs_period_us"), "100000");
    EXPECT_EQ(read("/sys/fs/cgroup/cpu/trainshed-a/uid/cpu.shares"), "300");
    EXPECT_EQ(read("/sys/fs/cgroup/pids" + at + "/pids.max"), "100");
    const std::vector<int> opened = tree.open_container("uid", "main.0");
    EXPECT_EQ(opened.size(), 3u);
    for (const int descriptor : opened) ::close(descriptor);
}

TEST_F(CgroupTreeTest, LeavesPodsWithoutACpuLimitOutOfCpuGroups) {
    for (const char* controller : {"memory", "cpu,cpuacct"}) v1(controller, "/");
    files("/sys/fs/cgroup/memory/trainshed-a/uid/main.0", {"cgroup.procs"});
    files("/sys/fs/cgroup/cpu,cpuacct/trainshed-a", {"cpu.shares", "cgroup.procs"});
    CgroupTree tree(detect(), "a");
    tree.make();
    ASSERT_TRUE(tree.make_pod("uid", CgroupLimits()));
    ASSERT_TRUE(tree.make_container("uid", "main.0", CgroupLimits()));
    EXPECT_FALSE(std::filesystem::exists(root + "/sys/fs/cgroup/cpu,cpuacct/trainshed-a/uid"));
    const std::vector<int> opened = tree.open_container("uid", "main.0");
    EXPECT_EQ(opened.size(), 1u);
    for (const int descriptor : opened) ::close(descriptor);
    EXPECT_FALSE(tree.usage("uid", "main.0").cpu_ns) << "no group counts it";
}

TEST_F(CgroupTreeTest, SetsLimitsOfVersion2AndHandsControllersDown) {
    v2("/sys/fs/cgroup", "/");
    group("/sys/fs/cgroup", "cpu memory pids", "cpu memory pids");
    const std::string cluster = "/sys/fs/cgroup/trainshed-a", pod = cluster + "/limited/uid";
    group(cluster, "cpu memory pids", "memory pids");
    for (const std::string& path :
         {cluster, cluster + "/limited", cluster + "/unlimited", pod, pod + "/main.0"})
        files(path, files_v2);
    CgroupTree tree(detect(), "a");
    tree.make();
    EXPECT_EQ(read(cluster + "/cgroup.subtree_control"), "+pids");
    EXPECT_EQ(read(cluster + "/cpu.max"), "") << "nobody is limited yet";
    CgroupLimits limits;
    limits.own_cpu = true;
    limits.pids = 1024;
    ASSERT_TRUE(tree.make_pod("uid", limits));
    EXPECT_EQ(read(cluster + "/cpu.max"), "max 100000");
    EXPECT_EQ(read(pod + "/cpu.max"), "max 100000");
    EXPECT_EQ(read(pod + "/memory.max"), "");
    EXPECT_EQ(read(pod + "/pids.max"), "1024");
    EXPECT_EQ(read(pod + "/cgroup.subtree_control"), "+pids") << "each is written by itself";
    ASSERT_TRUE(tree.make_container("uid", "main.0", half_a_cpu_and_64_mebibytes()));
    EXPECT_EQ(read(pod + "/main.0/memory.max"), "67108864");
    EXPECT_EQ(read(pod + "/main.0/memory.swap.max"), "0");
    EXPECT_EQ(read(pod + "/main.0/memory.oom.group"), "1");
    EXPECT_EQ(read(pod + "/main.0/cpu.max"), "50000 100000");
    EXPECT_EQ(read(pod + "/main.0/cpu.weight"), "35");
    EXPECT_EQ(read(pod + "/main.0/cgroup.subtree_control"), "") << "processes are in it";
}

TEST_F(CgroupTreeTest, MovesItselfOutOfTheWayBeforeControllersAreHandedDown) {
    v2("/sys/fs/cgroup", "/run.scope");
    group("/sys/fs/cgroup", "memory", "memory");
    const std::string scope = "/sys/fs/cgroup/run.scope";
    group(scope, "memory", "", "41\n");
    group(scope + "/trainshed-owner", "", "");
    group(scope + "/trainshed-a", "memory", "");
    group(scope + "/trainshed-a/unlimited", "memory", "");
    CgroupHost host;
    host.root = root;
    host.controllers = {{"memory", CgroupVersion::v2, root + scope}};
    host.must_step_aside = true;
    CgroupTree tree(host, "a");
    tree.make();
    EXPECT_EQ(read(scope + "/trainshed-owner/cgroup.procs"), "41");
    EXPECT_EQ(read(scope + "/cgroup.subtree_control"), "+memory");
}

TEST_F(CgroupTreeTest, GivesUpAControllerThatRefusesAndSaysWhy) {
    v2("/sys/fs/cgroup", "/");
    group("/sys/fs/cgroup", "memory pids", "memory pids");
    group("/sys/fs/cgroup/trainshed-a", "memory pids", "memory");
    std::filesystem::remove(root + "/sys/fs/cgroup/trainshed-a/cgroup.subtree_control");
    std::filesystem::create_directory(root + "/sys/fs/cgroup/trainshed-a/cgroup.subtree_control");
    CgroupTree tree(detect(), "a");
    tree.make();
    EXPECT_FALSE(tree.limits("memory"));
    EXPECT_THAT(tree.host().find("memory").why_not, testing::HasSubstr("cannot write +memory"));
    EXPECT_TRUE(tree.directories().empty());
}

TEST_F(CgroupTreeTest, ReadsUsageAndOomKillsOfVersion1) {
    for (const char* controller : {"memory", "cpuacct"}) v1(controller, "/");
    const std::string at = "/trainshed-a/uid/main.0/";
    write("/sys/fs/cgroup/memory" + at + "memory.usage_in_bytes", "5000000\n");
    write("/sys/fs/cgroup/memory" + at + "memory.stat",
          "inactive_file 7\ntotal_inactive_file 1000000\n");
    write("/sys/fs/cgroup/cpuacct" + at + "cpuacct.usage", "123456789\n");
    write("/sys/fs/cgroup/memory" + at + "memory.oom_control",
          "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
    const CgroupTree tree(detect(), "a");
    const auto used = tree.usage("uid", "main.0");
    EXPECT_EQ(used.memory_bytes, 4'000'000);
    EXPECT_EQ(used.cpu_ns, 123'456'789);
    EXPECT_FALSE(tree.oom_killed("uid", "main.0"));
    write("/sys/fs/cgroup/memory" + at + "memory.oom_control",
          "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n");
    EXPECT_TRUE(tree.oom_killed("uid", "main.0"));
    EXPECT_EQ(tree.usage("uid", "gone.0"), CgroupUsage());
}

TEST_F(CgroupTreeTest, ReadsUsageAndOomKillsOfVersion2) {
    v2("/sys/fs/cgroup", "/");
    group("/sys/fs/cgroup", "memory", "memory");
    const std::string at = "/sys/fs/cgroup/trainshed-a/unlimited/uid/main.0/";
    write(at + "memory.current", "5000000\n");
    write(at + "memory.stat", "anon 1\ninactive_file 1000000\n");
    write(at + "cpu.stat", "usage_usec 2500\nuser_usec 2000\n");
    write(at + "memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1\noom_group_kill 1\n");
    const CgroupTree tree(detect(), "a");
    const auto used = tree.usage("uid", "main.0");
    EXPECT_EQ(used.memory_bytes, 4'000'000);
    EXPECT_EQ(used.cpu_ns, 2'500'000);
    EXPECT_TRUE(tree.oom_killed("uid", "main.0"));
}

TEST_F(CgroupTreeTest, RemovesGroupsFromTheInside) {
    v1("pids", "/");
    std::filesystem::create_directories(root + "/sys/fs/cgroup/pids/trainshed-a/uid/main.0");
    std::filesystem::create_directories(root + "/sys/fs/cgroup/pids/trainshed-a/other");
    CgroupTree tree(detect(), "a");
    tree.remove_pod("uid");
    EXPECT_FALSE(std::filesystem::exists(root + "/sys/fs/cgroup/pids/trainshed-a/uid"));
    EXPECT_TRUE(std::filesystem::exists(root + "/sys/fs/cgroup/pids/trainshed-a/other"));
    tree.remove();
    EXPECT_FALSE(std::filesystem::exists(root + "/sys/fs/cgroup/pids/trainshed-a"));
    EXPECT_TRUE(std::filesystem::exists(root + "/sys/fs/cgroup/pids"));
}

class ProcessTableTest : public FakeCgroups {
protected:
    void process(int pid, int parent, const std::string& ticks, int pages,
                 const std::string& inner = "") {
        const std::string at = "/proc/" + std::to_string(pid);
        write(at + "/stat", std::to_string(pid) + " (a ) (b) S " + std::to_string(parent) +
                                " 1 1 0 -1 4194560 1 0 0 0 " + ticks + " 20 0 1 0 7 9999 " +
                                std::to_string(pages) + " 0\n");
        write(at + "/status",
              "Name:\tx\nNSpid:\t" + std::to_string(pid) + inner + "\nNSpgid:\t1\n");
    }
};

TEST_F(ProcessTableTest, AddsUpAProcessAndItsDescendants) {
    process(10, 1, "100 0 0 0", 1, "\t1");
    process(20, 10, "1 2 3 4", 5, "\t7\t1");
    process(21, 20, "10 0 0 0", 6, "\t8\t2");
    process(22, 21, "0 20 0 0", 7);
    process(30, 10, "50 0 0 0", 9);
    const ProcessTable table = ProcessTable::read(root);
    const std::int64_t tick_ns = 1'000'000'000 / ::sysconf(_SC_CLK_TCK);
    const CgroupUsage used = table.usage(20);
    EXPECT_EQ(used.cpu_ns, 40 * tick_ns);
    EXPECT_EQ(used.memory_bytes, 18 * ::sysconf(_SC_PAGESIZE));
    EXPECT_THAT(table.children(10), testing::UnorderedElementsAre(20, 30));
    EXPECT_EQ(table.pid_within(20, 1), 7);
    EXPECT_EQ(table.pid_within(20, 2), 1);
    EXPECT_EQ(table.pid_within(20, 3), 0);
    EXPECT_EQ(table.pid_within(99, 1), 0);
    EXPECT_EQ(table.usage(99), CgroupUsage());
}

}  // namespace
}  // namespace shed
