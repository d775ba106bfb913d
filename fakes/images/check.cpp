// The form of a catalogue file: what is misspelt or of the wrong type is an error with its line.
#include "fakes/images/reader.hpp"
#include "fakes/kube/kube.hpp"

#include <algorithm>

namespace shed {

namespace {

using Json = nlohmann::json;
using images::YamlPath;

enum class Form { text, number, texts, map, contents, any };
using Forms = std::map<std::string, Form, std::less<>>;

const Forms& forms_of_environment() {
    static const Forms forms = {
        {"from", Form::text},        {"user", Form::any},         {"env", Form::map},
        {"working_dir", Form::text}, {"entrypoint", Form::texts}, {"command", Form::texts},
        {"files", Form::contents},   {"layers", Form::texts},     {"build", Form::any}};
    return forms;
}

const Forms& forms_of_user() {
    static const Forms forms = {
        {"name", Form::text}, {"uid", Form::number}, {"gid", Form::number}, {"home", Form::text}};
    return forms;
}

const Forms& forms_of_build() {
    static const Forms forms = {{"packages", Form::texts},     {"cpu", Form::texts},
                                {"debian", Form::texts},       {"cuda12", Form::texts},
                                {"cuda13", Form::texts},       {"megabytes", Form::number},
                                {"seconds", Form::number},     {"cuda_megabytes", Form::number},
                                {"cuda_seconds", Form::number}};
    return forms;
}

std::string names_of(const Forms& forms) {
    std::string out;
    for (const auto& [name, form] : forms) out += (out.empty() ? "" : ", ") + name;
    return out;
}

bool texts(const Json& value) {
    for (const Json& item : value)
        if (!item.is_string() && !item.is_null()) return false;
    return true;
}

// Texts, or {source: FILE}.
bool contents(const Json& value) {
    const auto fits = [](const Json& item) {
        return item.is_object() ? item.size() == 1 && member(item, "source").is_string()
                                : item.is_string() || item.is_null();
    };
    return std::all_of(value.begin(), value.end(), fits);
}

const char* wrong(const Json& value, Form form) {
    if (value.is_null()) return nullptr;  // takes a key of another file away
    switch (form) {
        case Form::text:
            return value.is_string() ? nullptr : "must be a text";
        case Form::number:
            return value.is_number_unsigned() || (value.is_number_integer() && value >= 0)
                       ? nullptr
                       : "must be a number of 0 or more";
        case Form::texts:
            return value.is_array() && texts(value) ? nullptr : "must be a list of texts";
        case Form::map:
            return value.is_object() && texts(value) ? nullptr : "must map names to texts";
        case Form::contents:
            return value.is_object() && contents(value)
                       ? nullptr
                       : "must map paths to texts or to {source: FILE}";
        case Form::any:
            return value.is_object() ? nullptr : "must be a mapping";
    }
    return nullptr;
}

struct Trouble {
    std::string key, message;
};

std::optional<Trouble> trouble_in(const Json& value, const Forms& forms) {
    for (const auto& [key, item] : value.items()) {
        const auto form = forms.find(key);
        if (form == forms.end())
            return Trouble{key, "unknown key \"" + key + "\"; known are " + names_of(forms)};
        if (const char* what = wrong(item, form->second))
            return Trouble{key, "\"" + key + "\" " + what};
    }
    return std::nullopt;
}

bool clean_path(const std::string& path) {
    return path.starts_with('/') && ("/" + path + "/").find("/../") == std::string::npos;
}

}  // namespace

Result<void> CatalogueReader::check(const Source& source, const Json& document) const {
    if (!document.is_object()) return at(source, {}, "a catalogue is a mapping");
    static const Forms top = {{"environments", Form::any}, {"images", Form::any}};
    for (const auto& [key, value] : document.items()) {
        if (!top.contains(key))
            return at(source, {key}, "unknown key \"" + key + "\"; known are " + names_of(top));
    }
    const Json& environments = member(document, "environments");
    if (!environments.is_null() && !environments.is_object())
        return at(source, {"environments"}, "\"environments\" must be a mapping");
    for (const auto& [name, value] : environments.items())
        if (auto checked = check_environment(source, name, value); !checked) return checked;
    const Json& images = member(document, "images");
    if (!images.is_null() && !images.is_array())
        return at(source, {"images"}, "\"images\" must be a list");
    for (std::size_t index = 0; index < images.size(); ++index)
        if (auto checked = check_image(source, index, images[index]); !checked) return checked;
    return {};
}

Result<void> CatalogueReader::check_environment(const Source& source, const std::string& name,
                                                const Json& value) const {
    const YamlPath here = {"environments", name};
    const auto fits_directory = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (name.empty() || !std::all_of(name.begin(), name.end(), fits_directory))
        return at(source, here,
                  "environment \"" + name + "\": a name has a-z, 0-9, \"-\" and \"_\"");
    if (value.is_null()) return {};
    if (!value.is_object()) return at(source, here, "\"" + name + "\" must be a mapping");
    if (const auto trouble = trouble_in(value, forms_of_environment()))
        return at(source, {"environments", name, trouble->key}, trouble->message);
    if (const auto trouble = trouble_in(member(value, "user"), forms_of_user()))
        return at(source, {"environments", name, "user", trouble->key}, trouble->message);
    if (auto checked = check_paths(source, name, value); !checked) return checked;
    return check_build(source, name, value);
}

Result<void> CatalogueReader::check_paths(const Source& source, const std::string& name,
                                          const Json& value) const {
    for (const auto& [path, content] : member(value, "files").items())
        if (!clean_path(path))
            return at(source, {"environments", name, "files", path},
                      "\"" + path + "\" must be an absolute path");
    for (const Json& layer : member(value, "layers")) {
        // These part the directories of an overlay from each other and from its options.
        if (layer.get_ref<const std::string&>().find_first_of(":,\\") != std::string::npos)
            return at(source, {"environments", name, "layers"},
                      "a layer's path may not have \":\", \",\" or \"\\\" in it");
    }
    const std::string home = string_at(member(value, "user"), "home", "/");
    if (!clean_path(home) || !clean_path(string_at(value, "working_dir", "/")))
        return at(source, {"environments", name}, "home and working_dir must be absolute paths");
    return {};
}

Result<void> CatalogueReader::check_build(const Source& source, const std::string& name,
                                          const Json& value) const {
    const Json& build = member(value, "build");
    const auto trouble = trouble_in(build, forms_of_build());
    if (trouble) return at(source, {"environments", name, "build", trouble->key}, trouble->message);
    for (const Json& list : build) {
        if (!list.is_array()) continue;
        for (const Json& package : list) {
            // An option here would be pip's, and could send packages anywhere.
            if (!package.is_string() || package.get_ref<const std::string&>().starts_with('-'))
                return at(source, {"environments", name, "build"},
                          "packages are requirements such as mlx-lm==0.31.3, not options");
        }
    }
    return {};
}

Result<void> CatalogueReader::check_image(const Source& source, std::size_t index,
                                          const Json& value) const {
    const YamlPath here = {"images", std::to_string(index)};
    static const Forms forms = {{"pattern", Form::text}, {"environment", Form::text}};
    if (!value.is_object()) return at(source, here, "an image is {pattern: ..., environment: ...}");
    if (const auto trouble = trouble_in(value, forms)) return at(source, here, trouble->message);
    for (const char* key : {"pattern", "environment"})
        if (string_at(value, key).empty())
            return at(source, here, "an image needs \"" + std::string(key) + "\"");
    return {};
}

}  // namespace shed
