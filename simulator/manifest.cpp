#include "simulator/manifest.hpp"

#include "fakes/yaml/yaml.hpp"

#include <cstring>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace shed {

namespace {

Result<std::string> text_of(const std::string& file) {
    std::ostringstream text;
    if (file == "-") {
        text << std::cin.rdbuf();
        return text.str();
    }
    std::ifstream in(file, std::ios::binary);
    if (!in) return Error{Reason::bad_request, file + ": " + std::strerror(errno)};
    text << in.rdbuf();
    return text.str();
}

// Nothing that later code could stumble over: an object with metadata, of a kind that is served.
Result<void> complete(Json& object, const std::string& file) {
    const std::string version = string_at(object, "apiVersion"), kind = string_at(object, "kind");
    const Kind* known = find_kind_by_name(version, kind);
    if (known == nullptr)
        return Error{Reason::bad_request, file + ": no kind \"" + kind + "\" in version \"" + version +
                                              "\"; a TrainJob begins with apiVersion: "
                                              "trainer.kubeflow.org/v1alpha1, kind: TrainJob"};
    if (!member(object, "metadata").is_object())
        return Error{Reason::bad_request,
                     file + ": " + kind + ": metadata is missing or no object; it needs a name"};
    const Json& ns = member(member(object, "metadata"), "namespace");
    if (!ns.is_null() && !ns.is_string())
        return Error{Reason::bad_request, file + ": " + kind + ": metadata.namespace is no string; quote it"};
    if (known->namespaced && string_at(object, "metadata.namespace").empty())
        object["metadata"]["namespace"] = "default";
    return {};
}

}  // namespace

Result<std::vector<Json>> read_manifest(const std::string& file) {
    auto text = text_of(file);
    if (!text) return text.error();
    auto documents = parse_yaml_documents(*text);
    if (!documents) return Error{Reason::bad_request, file + ": " + documents.error().message};
    std::vector<Json> objects;
    for (Json& document : *documents) {
        if (string_at(document, "kind") == "List")
            for (const Json& item : member(document, "items")) objects.push_back(item);
        else objects.push_back(std::move(document));
    }
    for (Json& object : objects)
        if (auto completed = complete(object, file); !completed) return completed.error();
    if (objects.empty()) return Error{Reason::bad_request, file + ": nothing in it"};
    return objects;
}

}  // namespace shed
