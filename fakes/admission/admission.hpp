#pragma once
// What happens to an object between decoding and storage: defaults, mutating admission (ServiceAccount, Priority,
// Trainer's and JobSet's webhooks), schema and CEL-like rules, validating admission. In the real server's order.
#include "fakes/kube/kube.hpp"

namespace shed {

// A read-only look at the cluster, so that admission can find a runtime or a namespace.
class ClusterView {
public:
    virtual ~ClusterView() = default;
    virtual ObjectPtr find(const Key& key) const = 0;  // nullptr when absent
    virtual std::vector<ObjectPtr> list(const Kind&, const std::string& /*ns*/) const { return {}; }
};

enum class Operation { create, update };

struct AdmissionRequest {
    Operation operation = Operation::create;
    const Kind* kind = nullptr;
    std::string subresource = {};        // "" or "status"
    const Json* old_object = nullptr;    // for updates
    std::string user = {};
    Time now{};
    std::uint64_t random = 0;            // for names such as kube-api-access-xxxxx
};

struct Admitted {
    std::vector<std::string> warnings;  // sent as Warning: 299 headers
};

// Changes `object` in place. On error nothing of it may be used.
// Texts and codes: schema and CEL are 422, Trainer's validators are 403, JobSet's 422 (spec/trainer.md 1).
Result<Admitted> admit(const AdmissionRequest& request, Json& object, const ClusterView& cluster);

// A member of a built-in object that has the wrong type, in the words of Go's decoder; empty when there is none.
std::string decode_problem(const Kind& kind, const Json& object);

}  // namespace shed
