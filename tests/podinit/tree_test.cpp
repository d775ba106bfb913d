// Making and removing directories where something else is in the way.
#include "fakes/podinit/files.hpp"
#include "fakes/podinit/util.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace shed::podinit {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class TreeTest : public ::testing::Test {
protected:
    void SetUp() override {
        std::string pattern = ::testing::TempDir() + "/podinit-tree-XXXXXX";
        ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
        top = pattern;
    }
    void TearDown() override { EXPECT_TRUE(remove_tree(top, true)); }

    void write(const std::string& name) { std::ofstream(top + "/" + name) << "text"; }
    bool there(const std::string& name) const { return fs::exists(fs::symlink_status(top + "/" + name)); }
    std::string rmtree(const std::string& name) { return perform_files({{"rmtree", top + "/" + name}}, true); }

    std::string top;
};

TEST_F(TreeTest, RemovingALinkLeavesWhatItNames) {
    fs::create_directory(top + "/kept");
    write("kept/file");
    fs::create_directory(top + "/tree");
    fs::create_symlink("kept", top + "/link");
    fs::create_symlink("../kept", top + "/tree/inner");
    EXPECT_EQ(rmtree("link"), "");
    EXPECT_EQ(rmtree("tree"), "");
    EXPECT_FALSE(there("link"));
    EXPECT_FALSE(there("tree"));
    EXPECT_TRUE(there("kept/file"));
}

TEST_F(TreeTest, RemovesFilesAndWhatIsNotThere) {
    write("file");
    EXPECT_EQ(rmtree("file"), "");
    EXPECT_FALSE(there("file"));
    EXPECT_EQ(rmtree("nothing"), "");
}

TEST_F(TreeTest, KeepsTheTopWhenAsked) {
    fs::create_directories(top + "/tree/a/b");
    write("tree/a/file");
    EXPECT_TRUE(remove_tree(top + "/tree", false));
    EXPECT_TRUE(there("tree"));
    EXPECT_TRUE(fs::is_empty(top + "/tree"));
    write("file");
    EXPECT_FALSE(remove_tree(top + "/file", false));
    EXPECT_TRUE(there("file"));
}

TEST_F(TreeTest, RemovesClosedDirectories) {
    fs::create_directories(top + "/tree/a/b");
    write("tree/a/b/file");
    for (const char* name : {"/tree/a/b", "/tree/a", "/tree"}) ::chmod((top + name).c_str(), 0);
    EXPECT_EQ(rmtree("tree"), "");
    EXPECT_FALSE(there("tree"));
}

// Deeper than PATH_MAX and than there are descriptors.
TEST_F(TreeTest, RemovesVeryDeepTrees) {
    fs::create_directory(top + "/tree");
    Descriptor at(::open((top + "/tree").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (int depth = 0; depth < 5'000; ++depth) {
        ASSERT_EQ(::mkdirat(at.get(), "d", 0700), 0);
        at.reset(::openat(at.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        ASSERT_TRUE(at.open());
    }
    EXPECT_EQ(rmtree("tree"), "");
    EXPECT_FALSE(there("tree"));
}

TEST_F(TreeTest, MakesNoDirectoryWhereSomethingElseIs) {
    write("file");
    fs::create_symlink("nowhere", top + "/link");
    for (const char* name : {"/file", "/link", "/file/below"}) {
        EXPECT_FALSE(make_directories(top + name, 0755)) << name;
        EXPECT_THAT(perform_files({{"mkdir", top + name, "0755", "0", "0"}}, true), HasSubstr("Not a directory"));
    }
    fs::create_directory(top + "/tree");
    fs::create_symlink("tree", top + "/way");
    EXPECT_TRUE(make_directories(top + "/way/below", 0755));
    EXPECT_TRUE(make_directories(top + "/tree/below", 0755));
}

}  // namespace
}  // namespace shed::podinit
