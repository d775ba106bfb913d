#include "tests/cgroup/fake_host.hpp"

#include <gmock/gmock.h>

namespace shed {
namespace {

using testing::HasSubstr;

class DetectCgroups : public FakeCgroups {};

TEST_F(DetectCgroups, FindsNothingWhereNothingIsMounted) {
    const CgroupHost host = detect();
    EXPECT_EQ(host.layout, "none");
    EXPECT_EQ(where(host, "memory"), "");
    EXPECT_EQ(host.find("memory").why_not, "the kernel offers no memory controller");
}

TEST_F(DetectCgroups, UsesTheOwnGroupOfEachHierarchyOfVersion1) {
    v1("memory", "/session/a");
    v1("cpu,cpuacct", "/");
    write("/sys/fs/cgroup/memory/session/a/cgroup.procs", "");
    const CgroupHost host = detect();
    EXPECT_EQ(host.layout, "v1");
    EXPECT_EQ(where(host, "memory"), "/sys/fs/cgroup/memory/session/a");
    EXPECT_EQ(where(host, "cpu"), "/sys/fs/cgroup/cpu,cpuacct");
    EXPECT_EQ(where(host, "cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
    EXPECT_EQ(host.find("pids").why_not, "the kernel offers no pids controller");
}

TEST_F(DetectCgroups, UnderstandsAHierarchyOfWhichAContainerSeesAPart) {
    v1("pids", "/docker/abc", "/docker/abc");
    EXPECT_EQ(where(detect(), "pids"), "/sys/fs/cgroup/pids");
}

TEST_F(DetectCgroups, SaysWhichGroupOfVersion1IsNotWritable) {
    v1("memory", "/");
    closed.insert("/sys/fs/cgroup/memory");
    const CgroupHost host = detect();
    EXPECT_EQ(where(host, "memory"), "");
    EXPECT_THAT(host.find("memory").why_not, HasSubstr("/sys/fs/cgroup/memory is not writable"));
}

TEST_F(DetectCgroups, SaysWhenTheOwnGroupIsNotMounted) {
    v1("memory", "/../elsewhere");
    EXPECT_EQ(detect().find("memory").why_not, "the group /../elsewhere is not mounted");
}

// A terminal of a systemd user session: app.slice is the user's, and hands controllers down to what
// is in it.
TEST_F(DetectCgroups, GoesUpToTheNearestDelegatedGroupOfVersion2) {
    const std::string top = "/sys/fs/cgroup", service = top + "/user.slice/user@1000.service";
    v2(top, "/user.slice/user@1000.service/app.slice/term.scope");
    group(top, "cpuset cpu io memory pids", "cpu memory pids");
    group(top + "/user.slice", "cpu memory pids", "cpu memory pids");
    group(service, "cpu memory pids", "cpu memory pids");
    group(service + "/app.slice", "cpu memory pids", "memory pids");
    group(service + "/app.slice/term.scope", "memory pids", "", "41\n42\n");
    write(service + "/app.slice/term.scope/cgroup.type", "domain\n");
    for (const std::string& path : {top, top + "/user.slice"})
        closed.insert({path, path + "/cgroup.procs"});
    const CgroupHost host = detect();
    EXPECT_EQ(host.layout, "v2");
    EXPECT_EQ(where(host, "memory"), service + "/app.slice");
    EXPECT_EQ(where(host, "pids"), service + "/app.slice");
    EXPECT_EQ(where(host, "cpu"), service + "/app.slice")
        << "empty and ours: it can be asked to hand cpu down, too";
    EXPECT_FALSE(host.must_step_aside);
}

// A login by ssh: its scope is the system's, and so is what is above.
TEST_F(DetectCgroups, SaysWhatIsNotDelegatedInVersion2) {
    v2("/sys/fs/cgroup", "/user.slice/session-3.scope");
    group("/sys/fs/cgroup", "cpu memory pids", "cpu memory pids");
    group("/sys/fs/cgroup/user.slice", "cpu memory pids", "memory pids");
    group("/sys/fs/cgroup/user.slice/session-3.scope", "memory pids", "", "41\n");
    for (const char* path : {"/sys/fs/cgroup", "/sys/fs/cgroup/user.slice",
                             "/sys/fs/cgroup/user.slice/session-3.scope"})
        closed.insert(path);
    const CgroupHost host = detect();
    for (const char* controller : {"memory", "cpu", "pids"}) {
        EXPECT_EQ(where(host, controller), "");
        EXPECT_THAT(host.find(controller).why_not,
                    HasSubstr("of cgroup v2 is not delegated to this user"));
    }
}

// systemd-run --user --scope -p Delegate=yes: the group is ours, and nobody but us is in it.
TEST_F(DetectCgroups, StepsAsideWhereOnlyItselfIsInTheWay) {
    v2("/sys/fs/cgroup", "/run.scope");
    group("/sys/fs/cgroup", "memory pids", "memory pids");
    group("/sys/fs/cgroup/run.scope", "memory pids", "", "41\n");
    write("/sys/fs/cgroup/run.scope/cgroup.type", "domain\n");
    closed.insert("/sys/fs/cgroup");
    std::filesystem::create_directories(root + "/proc/41");
    std::filesystem::create_symlink("/bin/trainshed", root + "/proc/self/exe");
    std::filesystem::create_symlink("/bin/trainshed", root + "/proc/41/exe");
    const CgroupHost host = detect();
    EXPECT_EQ(where(host, "memory"), "/sys/fs/cgroup/run.scope");
    EXPECT_TRUE(host.must_step_aside);

    std::filesystem::remove(root + "/proc/41/exe");
    std::filesystem::create_symlink("/bin/bash", root + "/proc/41/exe");
    EXPECT_EQ(where(detect(), "memory"), "") << "others are not moved";
}

TEST_F(DetectCgroups, TakesEachControllerOfAHybridFromWhereItIs) {
    v1("memory", "/");
    v2("/sys/fs/cgroup/unified", "/");
    group("/sys/fs/cgroup/unified", "pids", "pids",
          "1\n41\n");  // the root has no type, and may have processes
    const CgroupHost host = detect();
    EXPECT_EQ(host.layout, "hybrid");
    EXPECT_EQ(where(host, "memory"), "/sys/fs/cgroup/memory");
    EXPECT_EQ(host.find("memory").version, CgroupVersion::v1);
    EXPECT_EQ(where(host, "pids"), "/sys/fs/cgroup/unified");
    EXPECT_EQ(host.find("pids").version, CgroupVersion::v2);
    EXPECT_EQ(where(host, "cpu"), "");
}

TEST_F(DetectCgroups, TellsTheKernelsThatCountProcessesByNamespace) {
    struct Row {
        const char* release;
        bool counts;
    };
    for (const Row& row : {Row{"5.14.0", true},
                           {"6.1.0-18-amd64", true},
                           {"5.13.19", false},
                           {"4.18.0-553.el8", false},
                           {"5", false},
                           {"", false},
                           {"x.y", false}})
        EXPECT_EQ(counts_processes_by_namespace(row.release), row.counts) << row.release;
}

}  // namespace
}  // namespace shed
