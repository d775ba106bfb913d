#include "fakes/images/reader.hpp"

#include "fakes/yaml/yaml.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>

namespace shed {

namespace {

using Json = nlohmann::json;
using images::YamlPath;

std::vector<std::string> strings(const Json& list) {
    std::vector<std::string> out;
    for (const Json& word : list) out.push_back(word.get<std::string>());
    return out;
}

Recipe recipe_of(const Json& build) {
    Recipe recipe;
    recipe.packages = strings(member(build, "packages"));
    recipe.debian = strings(member(build, "debian"));
    for (const char* extra : {"cpu", "cuda12", "cuda13"})
        if (member(build, extra).is_array()) recipe.extras[extra] = strings(build[extra]);
    const auto number = [&](const char* key) { return static_cast<int>(int_at(build, key)); };
    recipe.megabytes = number("megabytes");
    recipe.seconds = number("seconds");
    recipe.cuda_megabytes = number("cuda_megabytes");
    recipe.cuda_seconds = number("cuda_seconds");
    return recipe;
}

Environment environment_of(const std::string& name, const Json& json) {
    Environment e;
    e.name = name;
    const Json& user = member(json, "user");
    e.user_name = string_at(user, "name", e.user_name);
    e.uid = static_cast<int>(int_at(user, "uid"));
    e.gid = static_cast<int>(int_at(user, "gid", e.uid));
    e.home = string_at(user, "home", e.uid == 0 ? "/root" : "/home/" + e.user_name);
    e.working_dir = string_at(json, "working_dir", "/");
    e.entrypoint = strings(member(json, "entrypoint"));
    e.command = strings(member(json, "command"));
    for (const auto& [key, value] : member(json, "env").items())
        e.env.emplace_back(key, value.get<std::string>());
    for (const auto& [path, content] : member(json, "files").items())
        e.files[path] = content.get<std::string>();
    e.image_id = "sha256:" + images::sha256(dump_json(json));
    return e;
}

// As a JSON merge patch, but nulls stay: they also take away what is inherited by `from`.
void lay_over(Json& target, const Json& patch) {
    if (!target.is_object() || !patch.is_object()) {
        target = patch;
        return;
    }
    for (const auto& [key, value] : patch.items()) lay_over(target[key], value);
}

// "error converting YAML to JSON: yaml: line 3: what" -> 3, "what"
std::pair<int, std::string> syntax_error(const std::string& message) {
    static constexpr std::string_view mark = "yaml: line ";
    const auto at = message.find(mark);
    if (at == std::string::npos) return {1, message};
    int line = 1;
    const char* begin = message.data() + at + mark.size();
    const auto parsed = std::from_chars(begin, message.data() + message.size(), line);
    const auto colon = message.find(": ", static_cast<std::size_t>(parsed.ptr - message.data()));
    return {line, colon == std::string::npos ? message : message.substr(colon + 2)};
}

}  // namespace

Error CatalogueReader::at(const Source& source, const YamlPath& path,
                          const std::string& message) const {
    return {
        Reason::invalid,
        source.file + ":" + std::to_string(images::line_of(source.text, path)) + ": " + message};
}

Result<void> CatalogueReader::add(const std::string& file, const std::string& text) {
    const Source source{file, text};
    auto document = parse_yaml(text);
    if (!document) {
        const auto [line, what] = syntax_error(document.error().message);
        return Error{Reason::invalid, file + ":" + std::to_string(line) + ": " + what};
    }
    if (document->is_null()) return {};
    if (auto checked = check(source, *document); !checked) return checked;
    for (auto& [name, value] : (*document)["environments"].items()) {
        if (auto resolved = resolve_paths(source, name, value); !resolved) return resolved;
        lay_over(environments_[name], value);
        if (value.is_null()) environments_.erase(name);
        defined_in_[name] = sources_.size();
    }
    std::size_t index = 0;
    for (const Json& image : member(*document, "images"))
        rows_.push_back({{string_at(image, "pattern"), string_at(image, "environment"), file},
                         sources_.size(),
                         index++});
    sources_.push_back(source);
    return {};
}

Result<void> CatalogueReader::resolve_paths(const Source& source, const std::string& name,
                                            Json& value) const {
    const auto folder = std::filesystem::path(source.file).parent_path();
    const auto from_here = [&](const Json& path) {
        return (folder / path.get_ref<const std::string&>()).string();
    };
    if (!value.is_object()) return {};
    if (value.contains("layers"))
        for (Json& layer : value["layers"]) layer = from_here(layer);
    if (!value.contains("files")) return {};
    for (auto& [path, content] : value["files"].items()) {
        if (!content.is_object()) continue;
        auto text = images::text_of(from_here(content["source"]));
        if (!text) return at(source, {"environments", name, "files", path}, text.error().message);
        content = std::move(*text);
    }
    return {};
}

Result<void> CatalogueReader::check_chain(const std::string& name) const {
    std::vector<std::string> seen = {name};
    for (std::string from = string_at(environments_[name], "from"); !from.empty();
         from = string_at(environments_[from], "from")) {
        const Source& source = sources_[defined_in_.at(seen.back())];
        const YamlPath path = {"environments", seen.back(), "from"};
        if (!environments_.contains(from))
            return at(source, path, "there is no environment \"" + from + "\"");
        if (std::find(seen.begin(), seen.end(), from) != seen.end())
            return at(source, path, "environment \"" + from + "\" comes from itself");
        seen.push_back(from);
    }
    return {};
}

Result<void> CatalogueReader::check_references() const {
    for (const auto& [name, value] : environments_.items())
        if (auto checked = check_chain(name); !checked) return checked;
    for (const Row& row : rows_) {
        if (environments_.contains(row.image.environment)) continue;
        return at(sources_[row.source], {"images", std::to_string(row.index)},
                  "there is no environment \"" + row.image.environment + "\"");
    }
    return {};
}

// A recipe is not inherited: who comes from "mlx" shares its layer.
Json CatalogueReader::inherited(const std::string& name) const {
    const Json& own = environments_[name];
    const std::string from = string_at(own, "from");
    Json all = from.empty() ? Json::object() : inherited(from);
    all.merge_patch(own);
    return all;
}

void CatalogueReader::layers_of(const std::string& name, const std::string& environments_dir,
                                Environment& environment, std::vector<std::string>& needs) const {
    const Json& own = environments_[name];
    if (member(own, "build").is_object()) {
        environment.layers.push_back(environments_dir + "/" + name);
        needs.push_back(name);
    }
    for (const std::string& layer : strings(member(own, "layers")))
        environment.layers.push_back(layer);
    if (const std::string from = string_at(own, "from"); !from.empty())
        layers_of(from, environments_dir, environment, needs);
}

Result<Catalogue> CatalogueReader::finish(const std::string& environments_dir,
                                          const FileContents& pip_files) {
    if (auto checked = check_references(); !checked) return checked.error();
    Catalogue catalogue;
    catalogue.environments_dir_ = environments_dir;
    for (const auto& [name, own] : environments_.items()) {
        Environment environment = environment_of(name, inherited(name));
        layers_of(name, environments_dir, environment, catalogue.needs_[name]);
        environment.files.insert(pip_files.begin(), pip_files.end());
        if (member(own, "build").is_object()) catalogue.recipes_[name] = recipe_of(own["build"]);
        catalogue.environments_[name] = std::move(environment);
    }
    for (auto row = rows_.rbegin(); row != rows_.rend(); ++row)
        catalogue.rows_.push_back(row->image);
    return catalogue;
}

}  // namespace shed
