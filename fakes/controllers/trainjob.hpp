#pragma once
// The Trainer controller's parts.
#include "fakes/controllers/trainjob_build.hpp"

namespace shed::controllers {

struct TrainjobWork {
    const Snapshot& cluster;
    const Inputs& in;
    const Object& job;
    Plan plan = {};
    std::string error = {};  // why no objects can be made

    ObjectPtr find(const Kind& kind, const std::string& name) const { return cluster.find({&kind, job.ns(), name}); }
    Json object(const std::string& api_version, const std::string& kind, const std::string& name) const;
    void apply(Json wanted, const std::string& doing = "");  // `doing` comes before the server's complaint
    EmitEvent complaint(const std::string& text) const;
};

// The runtime as it was when the job began, kept in a ConfigMap that is written once. Null on error.
Json runtime_of(TrainjobWork& work);  // trainjob_snapshot.cpp

}  // namespace shed::controllers
