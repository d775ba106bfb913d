// hostPath volumes: only what was allowed, of the type that was asked for.
#include "tests/kubelet/place.hpp"

#include <sys/stat.h>

namespace shed::kubelet {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class HostPaths : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/shed-host-XXXXXX";
        root = fs::canonical(::mkdtemp(name));
        fs::create_directories(root + "/ro/set/deep");
        fs::create_directories(root + "/ro/open");
        fs::create_directories(root + "/other");
        std::ofstream(root + "/ro/file") << "x";
        fs::create_symlink("../other", root + "/ro/out");
        fs::create_symlink("set", root + "/ro/in");
        place = place_of(a_pod());
        place.allowed_host_paths = {{root + "/ro", false}, {root + "/ro/open", true}};
    }
    void TearDown() override { fs::remove_all(root); }

    Result<HostPlace> find(const std::string& path, const std::string& type = "") {
        return host_place(place, {{"path", root + path}, {"type", type}});
    }
    std::string complaint(const std::string& path, const std::string& type = "") {
        const auto found = find(path, type);
        return found ? "" : found.error().message;
    }

    std::string root;
    PodPlace place;
};

TEST_F(HostPaths, AreThoseBelowAnAllowedOne) {
    const auto whole = find("/ro"), deep = find("/ro/set/deep/"), open = find("/ro/open");
    ASSERT_TRUE(whole && deep && open);
    EXPECT_EQ(whole->below, "");
    EXPECT_EQ(deep->below, "set/deep");
    EXPECT_FALSE(deep->writable);
    EXPECT_EQ(open->allowed, 1) << "the nearest one says what may be written";
    EXPECT_TRUE(open->writable);
    EXPECT_TRUE(find("/ro/in/deep"));
    EXPECT_TRUE(find("/ro/file")->file);
}

TEST_F(HostPaths, ElsewhereAreRefusedByTheNameOfTheFlag) {
    for (const char* path : {"/other", "/rose", "/ro/../other", ""})
        EXPECT_THAT(complaint(path), HasSubstr("--allow-host-path")) << path;
    EXPECT_THAT(complaint("/ro/out"), HasSubstr("it leads out of " + root + "/ro"));
    EXPECT_EQ(find("/other").error().reason, Reason::forbidden);
    place.allowed_host_paths.clear();
    EXPECT_FALSE(find("/ro"));
}

TEST_F(HostPaths, MustBeOfTheirType) {
    EXPECT_EQ(complaint("/ro/set", "Directory"), "");
    EXPECT_EQ(complaint("/ro/file", "File"), "");
    const std::string failed = "hostPath type check failed: " + root;
    EXPECT_EQ(complaint("/ro/file", "Directory"), failed + "/ro/file is not a directory");
    EXPECT_EQ(complaint("/ro/set", "File"), failed + "/ro/set is not a file");
    EXPECT_EQ(complaint("/ro/none", "Directory"), failed + "/ro/none is not a directory");
    EXPECT_EQ(complaint("/ro/file", "Socket"), failed + "/ro/file is not a socket file");
    EXPECT_EQ(complaint("/ro/file", "CharDevice"), failed + "/ro/file is not a character device");
    EXPECT_EQ(complaint("/ro/file", "BlockDevice"), failed + "/ro/file is not a block device");
}

TEST_F(HostPaths, AreMadeOnlyWhereTheyMayBeWritten) {
    EXPECT_EQ(complaint("/ro/open/a/b", "DirectoryOrCreate"), "");
    EXPECT_TRUE(fs::is_directory(root + "/ro/open/a/b"));
    EXPECT_EQ(complaint("/ro/open/f", "FileOrCreate"), "");
    EXPECT_TRUE(fs::is_regular_file(root + "/ro/open/f"));
    EXPECT_EQ(complaint("/ro/open/plain"), "");
    EXPECT_TRUE(fs::is_directory(root + "/ro/open/plain"));
    EXPECT_THAT(complaint("/ro/new", "DirectoryOrCreate"), HasSubstr(root + "/ro:rw"));
    EXPECT_FALSE(fs::exists(root + "/ro/new"));
}

TEST_F(HostPaths, AreMountedFromTheRuntimesShares) {
    const auto mounts_of = [&](Json mount, const std::string& path) {
        mount["name"] = "v";
        mount["mountPath"] = "/m";
        const Json volume = {{"name", "v"}, {"hostPath", {{"path", root + path}}}};
        const PodPlace before = place;
        place = place_of(
            a_pod({{"volumeMounts", Json::array({mount})}}, {{"volumes", Json::array({volume})}}));
        place.allowed_host_paths = before.allowed_host_paths;
        place.host_mounts = {{"/data", "/data", HostMount::Kind::read_only}};
        return volume_mounts(place, place.spec()["containers"][0], {});
    };
    const auto plain = mounts_of(Json::object(), "/ro/set");
    ASSERT_TRUE(plain) << plain.error().message;
    EXPECT_EQ((*plain)[0].shared, 1) << "after the host mounts";
    EXPECT_THAT((*plain)[0].below, ElementsAre("set"));
    EXPECT_TRUE((*plain)[0].read_only);
    const auto below = mounts_of({{"subPath", "deep"}}, "/ro/set");
    EXPECT_THAT((*below)[0].below, ElementsAre("set", "deep"));
    EXPECT_FALSE((*mounts_of(Json::object(), "/ro/open"))[0].read_only);
    EXPECT_TRUE((*mounts_of({{"readOnly", true}}, "/ro/open"))[0].read_only);
    EXPECT_FALSE(mounts_of({{"subPath", "../other"}}, "/ro/set"));
}

}  // namespace
}  // namespace shed::kubelet
