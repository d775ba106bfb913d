// What a person names for pods to see of this machine.
#include "simulator/mounts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace shed {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class AllowedHostPaths : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/shed-allow-XXXXXX";
        root = fs::canonical(::mkdtemp(name));
        fs::permissions(root, fs::perms(0755));
        fs::create_directory(root + "/data");
        fs::create_symlink("data", root + "/link");
    }
    void TearDown() override { fs::remove_all(root); }

    std::string complaint(const std::string& text) {
        const auto parsed = parse_allowed_host_path(text);
        return parsed ? "" : parsed.error().message;
    }

    std::string root;
};

TEST_F(AllowedHostPaths, AreReadOnlyUnlessTheySayOtherwise) {
    const auto plain = parse_allowed_host_path(root + "/data");
    const auto read_only = parse_allowed_host_path(root + "/data:ro");
    const auto writable = parse_allowed_host_path(root + "/data:rw");
    ASSERT_TRUE(plain && read_only && writable);
    EXPECT_EQ(plain->path, root + "/data");
    EXPECT_FALSE(plain->writable || read_only->writable);
    EXPECT_TRUE(writable->writable);
    EXPECT_EQ(allowed_text(*writable), root + "/data by hostPath, writable");
}

TEST_F(AllowedHostPaths, AreWhatTheirLinksLeadTo) {
    EXPECT_EQ(parse_allowed_host_path(root + "/link")->path, root + "/data");
}

TEST_F(AllowedHostPaths, SayWhatIsWrongWithWhich) {
    EXPECT_THAT(complaint("data"),
                HasSubstr("--allow-host-path data: \"data\" is no absolute path"));
    EXPECT_THAT(complaint(root + "/none"), HasSubstr("No such file or directory"));
    fs::create_directory(root + "/closed");
    fs::permissions(root + "/closed", fs::perms(0));
    EXPECT_THAT(complaint(root + "/closed/x"), HasSubstr("--allow-host-path"));
    const auto all = allowed_host_paths({root + "/data", "bad"});
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().reason, Reason::bad_request);
}

}  // namespace
}  // namespace shed
