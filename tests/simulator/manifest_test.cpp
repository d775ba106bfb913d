#include "simulator/manifest.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace shed {
namespace {

class ManifestTest : public testing::Test {
protected:
    ManifestTest() {
        char name[] = "/tmp/shed-manifest-XXXXXX";
        const int descriptor = ::mkstemp(name);
        if (descriptor >= 0) ::close(descriptor);
        file_ = name;
    }
    ~ManifestTest() override { std::filesystem::remove(file_); }

    Result<std::vector<Json>> read(const std::string& text) {
        std::ofstream(file_) << text;
        return read_manifest(file_);
    }
    void expect_refused(const std::string& text, const std::string& words) {
        const auto objects = read(text);
        ASSERT_FALSE(objects) << text;
        EXPECT_TRUE(objects.error().message.starts_with(file_ + ": ")) << objects.error().message;
        EXPECT_NE(objects.error().message.find(words), std::string::npos) << objects.error().message;
    }
    std::string file_;
};

TEST_F(ManifestTest, TakesDocumentsAndListsApart) {
    const auto objects = read("apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n---\n"
                              "apiVersion: v1\nkind: List\nitems:\n"
                              "- {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n"
                              "- {apiVersion: v1, kind: Pod, metadata: {name: c, namespace: b}}\n");
    ASSERT_TRUE(objects) << objects.error().message;
    ASSERT_EQ(objects->size(), 3u);
    EXPECT_EQ(string_at(objects->at(0), "metadata.namespace"), "default");
    EXPECT_FALSE(objects->at(1).at("metadata").contains("namespace"));
    EXPECT_EQ(string_at(objects->at(2), "metadata.namespace"), "b");
}

TEST_F(ManifestTest, RefusesWhatCannotBeAnObject) {
    expect_refused("", "nothing in it");
    expect_refused("a: [", "line");
    expect_refused("just words", "no kind");
    expect_refused("apiVersion: v1\nkind: Pot\n", "no kind \"Pot\" in version \"v1\"");
    expect_refused("apiVersion: v1\nkind: Pod\n", "metadata");
    expect_refused("apiVersion: v1\nkind: Pod\nmetadata: oops\n", "metadata");
    expect_refused("apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: 7}\n", "quote it");
    expect_refused("apiVersion: v1\nkind: List\nitems: [1, {kind: [x]}]\n", "no kind");
}

TEST_F(ManifestTest, NamesAFileThatIsNotThere) {
    const auto objects = read_manifest(file_ + ".not");
    ASSERT_FALSE(objects);
    EXPECT_EQ(objects.error().message, file_ + ".not: No such file or directory");
}

}  // namespace
}  // namespace shed
