// A cluster of a few objects, and admission of one object as the API does it.
#include "fakes/admission/admission.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

namespace shed::test {

inline std::vector<Json> read_lines(const std::string& file) {
    std::vector<Json> lines;
    std::ifstream in(std::string(SHED_TEST_DATA) + "/" + file);
    std::string line;
    while (std::getline(in, line))
        if (!line.empty() && line[0] != '#') lines.push_back(Json::parse(line));
    return lines;
}

class FewObjects final : public ClusterView {
public:
    ObjectPtr find(const Key& key) const override {
        const auto found = objects_.find(key);
        return found == objects_.end() ? nullptr : found->second;
    }
    void put(Json dom) {
        const ObjectPtr object = Object::make(std::move(dom));
        objects_[object->key()] = object;
    }

private:
    std::map<Key, ObjectPtr> objects_;
};

inline Time some_time() { return *parse_time("2026-11-23T06:05:46Z"); }

inline const Kind& kind_of_object(const Json& object) {
    return kind_of(object.at("apiVersion").get<std::string>(), object.at("kind").get<std::string>());
}

inline Result<Admitted> create(Json& object, const ClusterView& cluster) {
    AdmissionRequest request;
    request.kind = &kind_of_object(object);
    request.now = some_time();
    request.random = 42;
    return admit(request, object, cluster);
}

inline Result<Admitted> update(Json& object, const Json& old, const ClusterView& cluster,
                               const std::string& subresource = "") {
    AdmissionRequest request;
    request.operation = Operation::update;
    request.kind = &kind_of_object(object);
    request.old_object = &old;
    request.subresource = subresource;
    request.now = some_time();
    return admit(request, object, cluster);
}

// The runtimes of the recorded cluster and the service account of its namespaces.
inline FewObjects recorded_cluster() {
    FewObjects cluster;
    for (Json& object : read_lines("runtimes.jsonl")) cluster.put(std::move(object));
    return cluster;
}

}  // namespace shed::test
