#pragma once
// From catalogue files to a Catalogue: checks the form of each file, lays one over the other, then
// follows `from`.
#include "fakes/images/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

class CatalogueReader {
public:
    // Lays this file over those before.
    Result<void> add(const std::string& file, const std::string& text);
    Result<Catalogue> finish(const std::string& environments_dir, const FileContents& pip_files);

private:
    using Json = nlohmann::json;
    struct Source {
        std::string file, text;
    };
    Error at(const Source& source, const images::YamlPath& path, const std::string& message) const;
    Result<void> check(const Source& source, const Json& document) const;
    Result<void> check_environment(const Source& source, const std::string& name,
                                   const Json& value) const;
    Result<void> check_build(const Source& source, const std::string& name,
                             const Json& value) const;
    Result<void> check_paths(const Source& source, const std::string& name,
                             const Json& value) const;
    Result<void> check_image(const Source& source, std::size_t index, const Json& value) const;
    // Puts what a file refers to, relative to itself, in the place of each reference.
    Result<void> resolve_paths(const Source& source, const std::string& name, Json& value) const;
    Result<void> check_references() const;
    Result<void> check_chain(const std::string& name) const;
    // The environment with all it inherits; its layers and what must be built for it, top first.
    Json inherited(const std::string& name) const;
    void layers_of(const std::string& name, const std::string& environments_dir,
                   Environment& environment, std::vector<std::string>& needs) const;

    std::vector<Source> sources_;
    std::map<std::string, std::size_t> defined_in_;  // environment -> the last source that has it
    Json environments_ = Json::object();
    struct Row {
        ImageRow image;
        std::size_t source = 0, index = 0;
    };
    std::vector<Row> rows_;
};

}  // namespace shed
