#pragma once
// A machine's control groups as plain files: what detection and groups read and write, without a
// kernel behind them.
#include "fakes/cgroup/cgroup.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace shed {

class FakeCgroups : public testing::Test {
protected:
    void SetUp() override {
        char name[] = "/tmp/shed-cgroup-XXXXXX";
        root = ::mkdtemp(name);
        write("/proc/self/cgroup", "");
        write("/proc/self/mountinfo", "24 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
    }
    void TearDown() override { std::filesystem::remove_all(root); }

    void write(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
        std::ofstream(root + path, std::ios::binary) << text;
    }
    std::string read(const std::string& path) const {
        std::ostringstream text;
        text << std::ifstream(root + path, std::ios::binary).rdbuf();
        return text.str();
    }
    void append(const std::string& path, const std::string& text) {
        write(path, read(path) + text);
    }

    // A hierarchy of version 1 with this process in `group`.
    void v1(const std::string& controllers, const std::string& group,
            const std::string& within = "/") {
        append("/proc/self/mountinfo", "33 31 0:29 " + within + " /sys/fs/cgroup/" + controllers +
                                           " rw,relatime shared:9 - cgroup cgroup rw," +
                                           controllers + "\n");
        append("/proc/self/cgroup", "1:" + controllers + ":" + group + "\n");
        std::filesystem::create_directories(root + "/sys/fs/cgroup/" + controllers);
    }
    void v2(const std::string& mount, const std::string& group) {
        append("/proc/self/mountinfo",
               "30 24 0:26 / " + mount + " rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n");
        append("/proc/self/cgroup", "0::" + group + "\n");
    }
    // A group of version 2, with the files the kernel would put there.
    void group(const std::string& path, const std::string& controllers,
               const std::string& handed_down, const std::string& procs = "") {
        write(path + "/cgroup.controllers", controllers + "\n");
        write(path + "/cgroup.subtree_control", handed_down + "\n");
        write(path + "/cgroup.procs", procs);
    }
    CgroupHost detect() {
        return detect_cgroups(root, [this](const std::string& path) {
            return std::filesystem::exists(path) && !closed.contains(path.substr(root.size()));
        });
    }
    std::string where(const CgroupHost& host, std::string_view controller) const {
        const std::string& directory = host.find(controller).directory;
        return directory.empty() ? "" : directory.substr(root.size());
    }

    std::string root;
    std::set<std::string> closed;  // what this user may not write
};

}  // namespace shed
