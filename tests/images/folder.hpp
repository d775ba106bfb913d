#pragma once
// A directory of a test's own, open to other users as an installation's is.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace shed {

class FolderTest : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/shed-images-XXXXXX";
        folder = ::mkdtemp(name);
        ::chmod(folder.c_str(), 0755);
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    std::string write(const std::string& name, const std::string& text) {
        const std::string path = folder + "/" + name;
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        std::ofstream(path) << text;
        return path;
    }
    static std::string read(const std::string& path) {
        std::ifstream in(path);
        std::stringstream text;
        text << in.rdbuf();
        return text.str();
    }

    std::string folder;
};

}  // namespace shed
