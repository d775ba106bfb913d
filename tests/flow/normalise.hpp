#pragma once
// Replaces what differs from run to run by placeholders, as the recordings have them: uids name
// their object, pods get their turn, times, versions, addresses and keys one word each.
#include "tests/flow/paper_cluster.hpp"

namespace shed {

class Normaliser {
public:
    explicit Normaliser(std::string ns) : ns_(std::move(ns)) {}
    void learn(const Object& object);  // in the order the objects came to be
    Json operator()(const Json& value) const { return value_of(value, ""); }
    std::string text(std::string value) const;

private:
    Json value_of(const Json& value, const std::string& key) const;
    std::string pod_name(const Object& object);

    std::string ns_;
    std::map<std::string, std::string> uids_, pods_, hashes_;
};

// {"final": [...], "conditions": {...}, "events": [...]} of one namespace, as recorded.
Json record_of(const PaperCluster& cluster, Store& store, const std::string& ns);

}  // namespace shed
