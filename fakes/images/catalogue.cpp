#include "fakes/images/reader.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace shed {

namespace {

namespace fs = std::filesystem;

std::string base_directory(const char* variable, const char* below_home) {
    const char* named = std::getenv(variable);
    const char* home = std::getenv("HOME");
    if (named != nullptr && *named != 0) return named;
    return std::string(home == nullptr ? "" : home) + below_home;
}

Error not_built(const std::string& image, const std::string& environment) {
    return {Reason::not_found, "image \"" + image + "\" needs the environment \"" + environment +
                                   "\", which is not built; run: trainshed image build " +
                                   environment};
}

}  // namespace

Result<std::string> images::text_of(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    if (in) text << in.rdbuf();
    if (!in || !text)
        return Error{Reason::environment, "cannot read " + path + ": " + std::strerror(errno)};
    return text.str();
}

Result<Catalogue> Catalogue::load(const std::string& shipped_file, const std::string& user_file,
                                  const std::string& environments_dir) {
    return load(shipped_file, user_file, environments_dir, host_pip_files());
}

Result<Catalogue> Catalogue::load(const std::string& shipped_file, const std::string& user_file,
                                  const std::string& environments_dir,
                                  const FileContents& pip_files) {
    CatalogueReader reader;
    for (const std::string& file : {shipped_file, user_file}) {
        if (file.empty() || (file == user_file && ::access(file.c_str(), F_OK) != 0)) continue;
        const auto text = images::text_of(file);
        if (!text) return text.error();
        if (auto added = reader.add(file, *text); !added) return added.error();
    }
    return reader.finish(environments_dir, pip_files);
}

Environment Catalogue::with_build_state(Environment environment) const {
    for (const std::string& name : needs_.at(environment.name)) {
        const auto stamp = images::read_stamp(layer_path(name));
        if (!stamp) environment.built = false;
        else environment.bytes += stamp->bytes;
    }
    return environment;
}

Result<std::pair<ImageRow, Environment>> Catalogue::match(const std::string& image) const {
    const auto name = images::parse_image_name(image);
    if (!name) return name.error();
    for (const ImageRow& row : rows_) {
        if (images::fits(row.pattern, *name))
            return std::pair(row, with_build_state(environments_.at(row.environment)));
    }
    return Error{Reason::not_found, "no local environment stands for image \"" + image +
                                        "\"; see: trainshed image list, and add a pattern to "
                                        "~/.config/trainshed/images.yaml"};
}

Result<Environment> Catalogue::resolve(const std::string& image) const {
    auto matched = match(image);
    if (!matched) return matched.error();
    Environment& environment = matched->second;
    for (const std::string& name : needs_.at(environment.name))
        if (!images::read_stamp(layer_path(name))) return not_built(image, name);
    std::error_code ec;
    for (const std::string& layer : environment.layers) {
        if (fs::is_directory(layer, ec)) continue;
        return Error{Reason::not_found, "image \"" + image + "\": layer " + layer +
                                            " of environment \"" + environment.name +
                                            "\" is not a directory; see " + matched->first.file};
    }
    return std::move(environment);
}

std::vector<Environment> Catalogue::list() const {
    std::vector<Environment> all;
    for (const auto& [name, environment] : environments_)
        all.push_back(with_build_state(environment));
    return all;
}

std::vector<ImageRow> Catalogue::images() const { return rows_; }

Result<Recipe> Catalogue::recipe(const std::string& environment) const {
    if (const auto found = recipes_.find(environment); found != recipes_.end())
        return found->second;
    std::string buildable;
    for (const auto& [name, recipe] : recipes_) buildable += (buildable.empty() ? "" : ", ") + name;
    if (!environments_.contains(environment))
        return Error{Reason::not_found, "there is no environment \"" + environment +
                                            "\"; those to be built are: " + buildable};
    return Error{Reason::invalid, "environment \"" + environment +
                                      "\" needs no build; those to be built are: " + buildable};
}

std::string Catalogue::layer_path(const std::string& environment) const {
    return environments_dir_ + "/" + environment;
}

std::string default_environments_dir() {
    if (::geteuid() == 0) return "/var/lib/trainshed/environments";
    return base_directory("XDG_DATA_HOME", "/.local/share") + "/trainshed/environments";
}

std::string user_catalogue_file() {
    return base_directory("XDG_CONFIG_HOME", "/.config") + "/trainshed/images.yaml";
}

}  // namespace shed
