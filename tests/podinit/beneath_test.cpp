// Places inside a directory that somebody else changes meanwhile.
#include "fakes/podinit/beneath.hpp"
#include "fakes/podinit/files.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

namespace shed::podinit {
namespace {

namespace fs = std::filesystem;

class BeneathTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "/podinit-beneath-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        top = fs::canonical(pattern);
        fs::create_directories(top + "/volume/in/deep");
        fs::create_directories(top + "/host");
        std::ofstream(top + "/host/secret") << "host";
        fs::create_symlink("in", top + "/volume/link");
        fs::create_symlink("../host", top + "/volume/out");
        fs::create_symlink(top + "/volume/in", top + "/volume/absolute");
        fs::create_symlink("/proc/self/root", top + "/volume/magic");
        root = Descriptor(::open((top + "/volume").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    void TearDown() override { EXPECT_TRUE(remove_tree(top, true)); }

    std::string find(const std::vector<std::string>& below, bool make = false) {
        std::string error;
        const Descriptor found = open_beneath(root.get(), below, make, error);
        EXPECT_EQ(found.open(), error.empty());
        return found.open()
                   ? fs::read_symlink("/proc/self/fd/" + std::to_string(found.get())).string()
                   : error;
    }

    std::string top;
    Descriptor root;
};

TEST_F(BeneathTest, FollowsLinksThatStayInside) {
    EXPECT_EQ(find({"in/deep"}), top + "/volume/in/deep");
    EXPECT_EQ(find({"link/deep"}), top + "/volume/in/deep");
    EXPECT_EQ(find({"link", "deep"}), top + "/volume/in/deep");
}

TEST_F(BeneathTest, RefusesWhatLeadsOut) {
    for (const char* path :
         {"out", "out/secret", "../host", "/etc", "in/../../host", "absolute", "magic"})
        EXPECT_THAT(find({path}), ::testing::HasSubstr("subPath")) << path;
    // Each is beneath the one before.
    EXPECT_THAT(find({"in", "../link"}), ::testing::HasSubstr("subPath"));
}

TEST_F(BeneathTest, MakesWhatIsMissingInside) {
    EXPECT_THAT(find({"new/one"}), ::testing::HasSubstr("No such file"));
    EXPECT_EQ(find({"link/new/one"}, true), top + "/volume/in/new/one");
    EXPECT_EQ(find({"new"}, true), top + "/volume/new");
    EXPECT_THAT(find({"out/new"}, true), ::testing::HasSubstr("subPath"));
    EXPECT_FALSE(fs::exists(top + "/host/new"));
}

// CVE-2021-25741: a directory that turns into a link between the look and the mount.
TEST_F(BeneathTest, IsNeverElsewhereWhileALinkIsSwapped) {
    fs::create_directory(top + "/volume/swap");
    fs::create_symlink("../host", top + "/volume/.other");
    const std::string one = top + "/volume/swap", other = top + "/volume/.other";
    std::atomic<bool> end = false;
    std::thread writer([&] {
        while (!end) ::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE);
    });
    const std::shared_ptr<void> stop(nullptr, [&](void*) {
        end = true;
        writer.join();
    });
    struct stat host {
    }, found{};
    ASSERT_EQ(::stat((top + "/host").c_str(), &host), 0);
    int inside = 0, refused = 0;
    for (int round = 0; round < 10'000; ++round) {
        std::string error;
        const Descriptor place = open_beneath(root.get(), {"swap", "x"}, true, error);
        place.open() ? ++inside : ++refused;
        const Descriptor again = open_beneath(root.get(), {"swap"}, false, error);
        const bool known = again.open() && ::fstat(again.get(), &found) == 0;
        ASSERT_FALSE(known && found.st_ino == host.st_ino) << "round " << round;
    }
    EXPECT_GT(inside, 0);
    EXPECT_GT(refused, 0) << "the link was never there: nothing was tried";
    EXPECT_EQ(std::distance(fs::directory_iterator(top + "/host"), fs::directory_iterator()), 1);
}

TEST_F(BeneathTest, MountPointsAreAsTheRootsOwnProcessesSeeThem) {
    fs::create_directories(top + "/root/data");
    fs::create_symlink("/data", top + "/root/absolute");
    fs::create_symlink("../../..", top + "/root/up");
    const auto target = [&](const std::string& path, bool directory) {
        std::string error;
        const Descriptor found = open_target(top + "/root", path, directory, error);
        return found.open()
                   ? fs::read_symlink("/proc/self/fd/" + std::to_string(found.get())).string()
                   : error;
    };
    EXPECT_EQ(target("/absolute/a/b", true), top + "/root/data/a/b");
    EXPECT_EQ(target("/up/file", false), top + "/root/file");
    EXPECT_TRUE(fs::is_regular_file(top + "/root/file"));
    EXPECT_EQ(target("/../../etc", true), top + "/root/etc");
}

}  // namespace
}  // namespace shed::podinit
