#include "fakes/patch/managers.hpp"

#include <algorithm>

namespace shed {

std::string FieldManager::title() const {
    std::string title = dump_json(member(entry, "manager"));
    if (const std::string part = text("subresource"); !part.empty())
        title += " with subresource " + dump_json(Json(part));
    return text("operation") == "Update" ? title + " using " + text("apiVersion") : title;
}

bool FieldManager::is(const ApplyOptions& options, std::string_view operation) const {
    return text("operation") == operation && text("manager") == options.manager &&
           text("subresource") == options.subresource;
}

std::vector<FieldManager> managers_of(const Json& object) {
    std::vector<FieldManager> managers;
    const Json& entries = at_path(object, "metadata.managedFields");
    if (!entries.is_array()) return managers;
    for (const Json& entry : entries)
        managers.push_back({entry, FieldSet::read(member(entry, "fieldsV1"))});
    return managers;
}

Json managed_fields(std::vector<FieldManager> managers) {
    std::sort(managers.begin(), managers.end(),
              [](const FieldManager& a, const FieldManager& b) { return a.order() < b.order(); });
    Json entries = Json::array();
    for (FieldManager& manager : managers) {
        if (manager.fields.empty()) continue;
        manager.entry["fieldsV1"] = manager.fields.fields_v1();
        entries.push_back(std::move(manager.entry));
    }
    return entries;
}

FieldManager manager_for(const Kind& kind, const ApplyOptions& options, std::string_view operation,
                    FieldSet fields) {
    Json entry = {{"manager", options.manager},
                  {"operation", operation},
                  {"apiVersion", kind.api_version()},
                  {"time", format_time(options.now)},
                  {"fieldsType", "FieldsV1"}};
    if (!options.subresource.empty()) entry["subresource"] = options.subresource;
    return {std::move(entry), std::move(fields)};
}

Json owned_part(Json object) {
    for (const char* name : {"apiVersion", "kind"}) object.erase(name);
    if (object.contains("metadata")) {
        for (const char* name : {"name", "namespace", "uid", "resourceVersion", "generation",
                                 "creationTimestamp", "managedFields", "generateName", "selfLink"})
            object["metadata"].erase(name);
        if (object["metadata"].empty()) object.erase("metadata");
    }
    return object;
}

}  // namespace shed
