#include "simulator/manifest.hpp"

#include "fakes/yaml/yaml.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

Result<void> complete(Json& object) {
    const std::string version = string_at(object, "apiVersion"), kind = string_at(object, "kind");
    const Kind* known = find_kind_by_name(version, kind);
    if (known == nullptr)
        return Error{Reason::bad_request, "no kind \"" + kind + "\" in version \"" + version +
                                              "\"; a TrainJob begins with apiVersion: "
                                              "trainer.kubeflow.org/v1alpha1, kind: TrainJob"};
    const Json& metadata = member(object, "metadata");
    if (!metadata.is_null() && !metadata.is_object())
        return Error{Reason::bad_request, "the metadata of a " + kind + " is " + dump_json(metadata) +
                                              "; write metadata: {name: ...}"};
    if (known->namespaced && string_at(metadata, "namespace").empty()) object["metadata"]["namespace"] = "default";
    return {};
}

}  // namespace

Result<std::vector<Json>> objects_of_manifest(const std::string& text, const std::string& file) {
    auto documents = parse_yaml_documents(text);
    if (!documents) return Error{Reason::bad_request, file + ": " + documents.error().message};
    std::vector<Json> objects;
    for (Json& document : *documents) {
        if (string_at(document, "kind") == "List")
            for (const Json& item : member(document, "items")) objects.push_back(item);
        else objects.push_back(std::move(document));
    }
    for (Json& object : objects)
        if (auto done = complete(object); !done)
            return Error{Reason::bad_request, file + ": " + done.error().message};
    if (objects.empty()) return Error{Reason::bad_request, file + ": nothing in it"};
    return objects;
}

}  // namespace shed
