// Builds with a script in the place of python3, which does as pip would, or not.
#include "fakes/images/internal.hpp"
#include "tests/images/folder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>

#include <atomic>
#include <set>
#include <thread>

namespace shed {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class BuildTest : public FolderTest {
protected:
    void SetUp() override {
        FolderTest::SetUp();
        environments = folder + "/state/environments";
        set_recipe("x==1");
        set_pip("");
    }

    void set_recipe(const std::string& package, int megabytes = 1) {
        const std::string file = write(
            "images.yaml", "environments:\n  mlx:\n    build: {packages: [" + package +
                               "], megabytes: " + std::to_string(megabytes) + ", seconds: 3}\n");
        catalogue.emplace(*Catalogue::load(file, "", environments, {}));
    }

    // Installs a file below --root after `commands`.
    void set_pip(const std::string& commands) {
        options.python = write("python3",
                               "#!/bin/sh\n"
                               "echo \"$@\" >> " +
                                   folder +
                                   "/calls\n"
                                   "while [ \"$1\" != --root ]; do shift; done\n"
                                   "root=$2\n"
                                   "mkdir -p $root/usr/local/lib\n"
                                   "echo module > $root/usr/local/lib/module.py\n"
                                   "readlink /proc/$$/fd/3 > " +
                                   folder +
                                   "/descriptor\n"
                                   "echo '  Downloading big-1.whl (12.5 MB)'\n" +
                                   commands + "\n");
        ::chmod(options.python.c_str(), 0755);
    }

    Result<BuildReport> build() {
        return build_environment(*catalogue, "mlx", options,
                                 [this](const std::string& line) { progress.push_back(line); });
    }

    long calls() const {
        const std::string text = read(folder + "/calls");
        return std::count(text.begin(), text.end(), '\n');
    }

    std::vector<std::string> entries() const {
        std::set<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(environments))
            names.insert(entry.path().filename());
        return {names.begin(), names.end()};
    }

    static unsigned mode_of(const std::string& path) {
        struct stat info {};
        return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 07777 : 0;
    }

    std::string environments;
    std::optional<Catalogue> catalogue;
    BuildOptions options;
    std::vector<std::string> progress;
};

TEST_F(BuildTest, MakesALayerThatOtherUsersCanRead) {
    const mode_t before = ::umask(0077);
    const auto report = build();
    ::umask(before);
    ASSERT_TRUE(report) << report.error().message;
    const std::string layer = environments + "/mlx";
    EXPECT_FALSE(report->already_built);
    EXPECT_EQ(report->path, layer);
    EXPECT_GT(report->bytes, 0u);
    EXPECT_EQ(read(layer + "/usr/local/lib/module.py"), "module\n");
    for (const std::string& path : {environments, layer, layer + "/usr", layer + "/usr/local/lib"})
        EXPECT_EQ(mode_of(path), 0755u) << path;
    EXPECT_EQ(mode_of(layer + "/usr/local/lib/module.py"), 0644u);
    EXPECT_EQ(std::filesystem::read_symlink(layer + "/usr/local/bin/python"), options.python);
    EXPECT_EQ(std::filesystem::read_symlink(layer + "/usr/local/bin/python3"), options.python);
    EXPECT_THAT(progress, testing::Contains("mlx takes about 1 MB and 3 s, once"));
    EXPECT_THAT(progress, testing::Contains("downloading big-1.whl (12.5 MB)"));
    EXPECT_THAT(read(folder + "/calls"), HasSubstr(" --ignore-installed "));
    EXPECT_THAT(read(folder + "/calls"), HasSubstr(" x==1\n"));
    EXPECT_THAT(entries(), ElementsAre(".mlx.lock", "mlx"));
}

TEST_F(BuildTest, ASecondOneHasNothingToDo) {
    ASSERT_TRUE(build());
    progress.clear();
    const auto report = build();
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->already_built);
    EXPECT_GT(report->bytes, 0u);
    EXPECT_EQ(calls(), 1);
    EXPECT_THAT(progress, IsEmpty());
}

TEST_F(BuildTest, AnotherRecipeReplacesTheLayer) {
    ASSERT_TRUE(build());
    set_recipe("x==2");
    set_pip("echo two > $root/usr/local/lib/two.py");
    const auto report = build();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->already_built);
    EXPECT_EQ(read(environments + "/mlx/usr/local/lib/two.py"), "two\n");
    EXPECT_THAT(entries(), ElementsAre(".mlx.lock", "mlx"));
    EXPECT_TRUE(build()->already_built);
}

TEST_F(BuildTest, AFailureLeavesNothingAndSaysWhy) {
    set_pip("echo 'ERROR: No matching distribution found for x==1' >&2; exit 7");
    const auto report = build();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().reason, Reason::environment);
    EXPECT_THAT(report.error().message, HasSubstr("exit code 7"));
    EXPECT_THAT(report.error().message, HasSubstr("No matching distribution found for x==1"));
    EXPECT_THAT(report.error().message, HasSubstr("; the index has no such version"));
    EXPECT_THAT(entries(), ElementsAre(".mlx.lock"));
}

TEST_F(BuildTest, AFailureKeepsTheFormerLayer) {
    ASSERT_TRUE(build());
    set_recipe("x==2");
    set_pip("exit 1");
    ASSERT_FALSE(build());
    EXPECT_EQ(read(environments + "/mlx/usr/local/lib/module.py"), "module\n");
    EXPECT_THAT(entries(), ElementsAre(".mlx.lock", "mlx"));
}

TEST_F(BuildTest, WhatAKilledBuildLeftIsSwept) {
    write("state/environments/.mlx.building.abcdef/usr/half", "x");
    write("state/environments/.mlx.old.abcdef/usr/former", "x");
    write("state/environments/.other.building.abcdef/usr/half", "x");
    ASSERT_TRUE(build());
    EXPECT_THAT(entries(), ElementsAre(".mlx.lock", ".other.building.abcdef", "mlx"));
}

TEST_F(BuildTest, ASecondBuilderWaitsAndFindsTheWorkDone) {
    const std::string gate = folder + "/gate";
    ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
    set_pip("read go < " + gate);
    std::atomic<bool> waiting = false;
    Result<BuildReport> first = BuildReport{}, second = BuildReport{};
    const auto ignore = [](const std::string&) {};
    std::thread one([&] { first = build_environment(*catalogue, "mlx", options, ignore); });
    // Opens once pip reads, which is once the first builder has the lock.
    const int writer = ::open(gate.c_str(), O_WRONLY);
    std::thread two([&] {
        second = build_environment(*catalogue, "mlx", options, [&](const std::string& line) {
            if (line.starts_with("another build of mlx is under way")) waiting = true;
            waiting.notify_all();
        });
    });
    waiting.wait(false);
    EXPECT_EQ(::write(writer, "go\n", 3), 3);
    ::close(writer);
    one.join();
    two.join();
    ASSERT_TRUE(first) << first.error().message;
    ASSERT_TRUE(second) << second.error().message;
    EXPECT_FALSE(first->already_built);
    EXPECT_TRUE(second->already_built);
    EXPECT_EQ(calls(), 1);
}

// Should the builder be killed, pip goes on for a while: nobody may sweep its directory then.
TEST_F(BuildTest, PipItselfHoldsTheLock) {
    ASSERT_TRUE(build());
    EXPECT_EQ(read(folder + "/descriptor"), environments + "/.mlx.lock\n");
}

TEST_F(BuildTest, AnInterruptEndsPipAndLeavesNothing) {
    const std::string gate = folder + "/gate";
    ASSERT_EQ(::mkfifo(gate.c_str(), 0600), 0);
    set_pip("touch " + folder + "/reached; read go < " + gate);
    options.cancelled = [this] { return std::filesystem::exists(folder + "/reached"); };
    const auto report = build();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().message, "the build of mlx was interrupted");
    EXPECT_THAT(entries(), ElementsAre(".mlx.lock"));
}

TEST_F(BuildTest, ADirectoryClosedToPodsIsRefused) {
    if (::geteuid() != 0) GTEST_SKIP() << "only root's pods are strangers to its files";
    ::chmod(folder.c_str(), 0700);
    const auto report = build();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().reason, Reason::environment);
    EXPECT_THAT(report.error().message, HasSubstr("pods cannot enter " + folder + ":"));
    EXPECT_THAT(report.error().message, HasSubstr("; chmod o+x " + folder));
    EXPECT_EQ(calls(), 0);
}

TEST_F(BuildTest, AFullDiskIsNoticedBefore) {
    set_recipe("x==1", 2'000'000'000);
    const auto report = build();
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message, HasSubstr(" MB free, mlx needs about "));
    EXPECT_EQ(calls(), 0);
}

TEST_F(BuildTest, WithoutPythonItSaysWhatToInstall) {
    options.python = folder + "/none";
    const auto report = build();
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message, HasSubstr("; sudo apt-get install python3"));
}

TEST_F(BuildTest, PackagesElsewhereThanBelowUsrAreAFailure) {
    set_pip("mv $root/usr $root/opt");
    const auto report = build();
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message, HasSubstr("elsewhere than below /usr"));
    EXPECT_THAT(entries(), ElementsAre(".mlx.lock"));
}

}  // namespace
}  // namespace shed
