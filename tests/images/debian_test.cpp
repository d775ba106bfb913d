// Layers from Debian packages, with scripts in the place of apt-get and dpkg-deb.
#include "fakes/images/internal.hpp"
#include "tests/images/folder.hpp"

#include <gmock/gmock.h>

#include <filesystem>

namespace shed {
namespace {

using testing::HasSubstr;

class DebianTest : public FolderTest {
protected:
    void SetUp() override {
        FolderTest::SetUp();
        const std::string file =
            write("images.yaml",
                  "environments:\n  torch:\n    build: {debian: [python3-torch], megabytes: 1}\n");
        catalogue.emplace(*Catalogue::load(file, "", folder + "/environments", {}));
        options.python = program("python3", "exit 0");
        set_apt_get("");
        // Unpacks a package into files that are named after it.
        options.dpkg_deb = program("dpkg-deb",
                                   "name=$(basename $2 .deb)\n"
                                   "mkdir -p $3/usr/lib/t/blas $3/usr/lib/python3/dist-packages\n"
                                   "echo $name > $3/usr/lib/python3/dist-packages/$name.py\n"
                                   "echo blas > $3/usr/lib/t/blas/libblas.so.3\n"
                                   "mkdir -p $3/lib/t; echo old > $3/lib/t/old.so");
    }

    std::string program(const std::string& name, const std::string& commands) {
        const std::string path = write(name, "#!/bin/sh\necho \"" + name + " $@\" >> " + folder +
                                                 "/calls\n" + commands + "\n");
        ::chmod(path.c_str(), 0755);
        return path;
    }

    // Downloads two packages into the directory of its options, after `commands`.
    void set_apt_get(const std::string& commands) {
        options.apt_get = program("apt-get",
                                  "for word; do case $word in\n"
                                  "  Dir::Cache::archives=*) archives=${word#*=} ;;\n"
                                  "  Dir::State::lists=*) lists=${word#*=} ;;\n"
                                  "esac; done\n" +
                                      commands +
                                      "\necho 'Need to get 150 MB of archives.'\n"
                                      "touch $archives/one.deb $archives/two.deb");
    }

    Result<BuildReport> build() {
        return build_environment(*catalogue, "torch", options,
                                 [this](const std::string& line) { progress.push_back(line); });
    }

    std::optional<Catalogue> catalogue;
    BuildOptions options;
    std::vector<std::string> progress;
};

TEST_F(DebianTest, PackagesAreUnpackedIntoTheLayer) {
    const auto report = build();
    ASSERT_TRUE(report) << report.error().message;
    const std::string layer = folder + "/environments/torch";
    for (const char* name : {"one", "two"})
        EXPECT_EQ(read(layer + "/usr/lib/python3/dist-packages/" + name + ".py"),
                  std::string(name) + "\n");
    EXPECT_THAT(progress, testing::Contains("downloading Debian packages (150 MB)"));
    EXPECT_THAT(read(folder + "/calls"), HasSubstr("--download-only install python3-torch\n"));
    EXPECT_FALSE(std::filesystem::exists(layer + "/.debian"));
    EXPECT_TRUE(build()->already_built);
}

// What the packages' own scripts would have done, had they been installed.
TEST_F(DebianTest, LibrariesAreWhereTheLinkerLooks) {
    if (!std::filesystem::is_symlink("/lib")) GTEST_SKIP() << "/lib is no link to /usr/lib here";
    ASSERT_TRUE(build());
    const std::string layer = folder + "/environments/torch";
    EXPECT_EQ(read(layer + "/usr/lib/t/libblas.so.3"), "blas\n");
    EXPECT_EQ(read(layer + "/usr/lib/t/old.so"), "old\n");
    EXPECT_FALSE(std::filesystem::exists(layer + "/lib"));
}

TEST_F(DebianTest, ModulesAreCompiledForTheirPlaceInThePod) {
    ASSERT_TRUE(build());
    EXPECT_THAT(read(folder + "/calls"),
                testing::ContainsRegex("python3 -m compileall .* -s [^ ]*building[^ ]* -p / "));
}

TEST_F(DebianTest, MissingOrStaleListsAreFetchedIntoTheDraft) {
    set_apt_get("[ -n \"$lists\" ] || exit 100");
    const auto report = build();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_THAT(read(folder + "/calls"),
                testing::ContainsRegex("apt-get .*building.*/lists update\n"));
}

TEST_F(DebianTest, AFailureLeavesNothingAndSaysWhy) {
    set_apt_get("echo 'E: Unable to locate package python3-torch' >&2; exit 100");
    const auto report = build();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().reason, Reason::environment);
    EXPECT_THAT(report.error().message, HasSubstr("apt-get failed with exit code 100"));
    EXPECT_THAT(report.error().message, HasSubstr("; this distribution has no such package"));
    EXPECT_FALSE(std::filesystem::exists(folder + "/environments/torch"));
}

TEST_F(DebianTest, AMachineWithoutAptGetIsToldSo) {
    options.apt_get = folder + "/none";
    const auto report = build();
    ASSERT_FALSE(report);
    EXPECT_THAT(report.error().message, HasSubstr("none failed with exit code 127"));
}

}  // namespace
}  // namespace shed
