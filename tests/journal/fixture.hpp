#pragma once
// What the tests of the journal share: a folder that goes with the test, and small objects.
#include "fakes/store/store.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace shed {

class Folder {
public:
    Folder() {
        std::string name = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~Folder() {
        std::error_code ec;
        std::filesystem::remove_all(path_, ec);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    std::string file(const std::string& name = "store") const { return path_ + "/" + name; }

private:
    std::string path_;
};

inline Json config_map(const std::string& name, const std::string& value) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata", {{"name", name}, {"namespace", "default"}, {"uid", "uid-" + name}}},
            {"data", {{"a", value}}}};
}

inline Key config_map_key(const std::string& name) {
    return {&kind_of("v1", "ConfigMap"), "default", name};
}

}  // namespace shed
