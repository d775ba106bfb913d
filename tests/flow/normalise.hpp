#pragma once
// Replaces what differs from run to run by placeholders, as the recordings' own normalise.py does:
// uids name their object, pods get their turn, times, versions, addresses and keys one word each.
#include "fakes/kube/kube.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

namespace shed {

class Normaliser {
public:
    explicit Normaliser(std::string ns) : ns_(std::move(ns)) {}
    void learn(const Json& object);  // in the order the objects came to be
    Json operator()(const Json& value) const { return value_of(value, ""); }
    std::string text(std::string value) const;

private:
    Json value_of(const Json& value, const std::string& key) const;
    std::string pod_name(const Json& object);
    std::string with_forms(const std::string& value) const;

    std::string ns_;
    std::map<std::string, std::string> uids_, pods_, hashes_;
};

// {"final": [...], "conditions": {...}, "events": [...], "order": [...], "history": {...}}.
Json normal_record(const std::string& ns, const std::vector<Json>& timeline,
                   const Json& final_objects);
// The JSON merge patch that makes `after` of `before`.
Json merge_difference(const Json& before, const Json& after);

}  // namespace shed
