#pragma once
// The vocabulary of the cluster: kinds, keys, immutable objects, selectors, quantities and metav1.Status.
// Everything else speaks in these words. Nothing here does I/O.
#include "fakes/base/result.hpp"
#include "fakes/base/time.hpp"

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shed {

using Json = nlohmann::json;  // Objects sorted by key: equal objects have equal bytes.
using ResourceVersion = std::uint64_t;

// One served resource. The table is constexpr data in kinds.cpp; a pointer into it identifies a kind.
struct Kind {
    std::string_view group;    // "" for core
    std::string_view version;  // "v1"
    std::string_view kind;     // "Pod"
    std::string_view plural;   // "pods"
    std::string_view singular;
    bool namespaced = true;
    bool custom = false;                              // served as a custom resource: no strategic merge, own kind in lists
    bool has_status = false;                          // a status subresource; `status` is ignored on the main endpoint
    bool has_generation = false;                      // metadata.generation counts spec changes
    std::string_view short_names = {};                // comma separated
    std::string_view categories = {};                 // comma separated
    bool create_only = false;                         // reviews: answered, never stored
    std::string api_version() const;                  // "v1", "batch/v1"
    std::string group_resource() const;               // "pods", "trainjobs.trainer.kubeflow.org": as errors name it
    std::string group_kind() const;                   // "Pod", "TrainJob.trainer.kubeflow.org"
};

std::span<const Kind> all_kinds();
// nullptr when not served. events exists twice (core and events.k8s.io) and is stored once, as core.
const Kind* find_kind(std::string_view group, std::string_view version, std::string_view plural);
const Kind* find_kind_by_name(std::string_view api_version, std::string_view kind);
const Kind& kind_of(std::string_view api_version, std::string_view kind);  // SHED_CHECKs that it exists

struct Key {
    const Kind* kind = nullptr;
    std::string ns;  // empty for cluster-scoped kinds
    std::string name;
    auto operator<=>(const Key&) const = default;
    std::string text() const;  // "pods default/a", for logs and messages
};

struct OwnerReference {
    std::string api_version, kind, name, uid;
    bool controller = false;
    bool block_owner_deletion = false;
};

class Object;
using ObjectPtr = std::shared_ptr<const Object>;

// An object of the API: its JSON bytes plus what the cluster itself looks at. Immutable, shared by reference.
// The DOM is parsed on first use and kept while the object lives.
class Object {
public:
    // `dom` must have apiVersion, kind and metadata.name, and name a known kind; anything else is our mistake.
    static ObjectPtr make(Json dom);

    const Kind& kind() const { return *key_.kind; }
    const Key& key() const { return key_; }
    const std::string& ns() const { return key_.ns; }
    const std::string& name() const { return key_.name; }
    const std::string& uid() const { return uid_; }
    ResourceVersion resource_version() const { return resource_version_; }
    std::int64_t generation() const { return generation_; }
    bool deleting() const { return deletion_timestamp_.has_value(); }
    std::optional<Time> deletion_timestamp() const { return deletion_timestamp_; }
    Time creation_timestamp() const { return creation_timestamp_; }
    const std::vector<std::pair<std::string, std::string>>& labels() const { return labels_; }  // sorted by key
    std::string_view label(std::string_view name) const;                                        // "" when absent
    const std::vector<OwnerReference>& owners() const { return owners_; }
    const OwnerReference* controller() const;  // the owner with controller: true
    const std::vector<std::string>& finalizers() const { return finalizers_; }

    const std::string& bytes() const { return bytes_; }
    const Json& dom() const;  // not thread-safe; the cluster's core runs on one thread

    Object();
    ~Object();

private:
    Key key_;
    std::string uid_, bytes_;
    ResourceVersion resource_version_ = 0;
    std::int64_t generation_ = 0;
    Time creation_timestamp_{};
    std::optional<Time> deletion_timestamp_;
    std::vector<std::pair<std::string, std::string>> labels_;
    std::vector<OwnerReference> owners_;
    std::vector<std::string> finalizers_;
    mutable std::unique_ptr<Json> dom_;
};

// ---- reading JSON without throwing; the forms for optional members all over the code
const Json& member(const Json& object, std::string_view name);                  // null when absent or not an object
const Json& at_path(const Json& object, std::string_view dotted);               // "spec.template.spec"; no arrays
std::string string_at(const Json& object, std::string_view dotted, std::string_view otherwise = "");
std::int64_t int_at(const Json& object, std::string_view dotted, std::int64_t otherwise = 0);
bool bool_at(const Json& object, std::string_view dotted, bool otherwise = false);
// status.conditions[] entry of that type, or null.
const Json& condition_of(const Json& object, std::string_view type);
bool condition_true(const Json& object, std::string_view type);
// Parses with the depth (10,000) and number limits of the real server. Duplicate keys: the last one wins.
Result<Json> parse_json(std::string_view text);
std::string dump_json(const Json& value);  // invalid UTF-8 is replaced, never thrown

// ---- selectors (labels: k8s.io/apimachinery/pkg/labels; fields: equality on dotted paths)
class LabelSelector {
public:
    static Result<LabelSelector> parse(std::string_view text);           // "a=b,c!=d,e in (f,g),!h"
    static Result<LabelSelector> from_json(const Json& label_selector);  // {matchLabels, matchExpressions}
    bool matches(const Object& object) const;
    bool matches(const Json& labels) const;  // a map of strings, or null
    bool empty() const { return requirements_.empty(); }

private:
    enum class Operator { in, not_in, exists, not_exists, greater, less };
    struct Requirement {
        std::string key;
        Operator op;
        std::vector<std::string> values;
    };
    static Result<Requirement> parse_requirement(std::string_view& rest);
    static Result<std::vector<std::string>> parse_operator(std::string_view& rest, Operator& op);
    template <class Find>
    bool match_all(Find find) const;
    std::vector<Requirement> requirements_;
};

class FieldSelector {
public:
    static Result<FieldSelector> parse(std::string_view text, const Kind& kind);  // refuses labels the kind lacks
    bool matches(const Object& object) const;
    bool empty() const { return terms_.empty(); }
    std::optional<std::string> required(std::string_view path) const;  // the value of `path=value`, if asked for

private:
    struct Term {
        std::string path, value;
        bool negated = false;
    };
    std::vector<Term> terms_;
};

// ---- quantities (k8s.io/apimachinery/pkg/api/resource), in thousandths
__extension__ using Int128 = __int128;
class Quantity {
public:
    static std::optional<Quantity> parse(std::string_view text);  // "500m", "2Gi", "1e3", "0.5"
    static std::optional<Quantity> from_json(const Json& value);  // string or number
    Int128 milli() const { return milli_; }
    std::int64_t value() const;  // rounded up to whole units
    Quantity operator+(Quantity other) const { return Quantity(milli_ + other.milli_); }
    Quantity operator-(Quantity other) const { return Quantity(milli_ - other.milli_); }
    auto operator<=>(const Quantity&) const = default;
    std::string canonical(std::string_view original) const;  // the form the real server would echo
    explicit Quantity(Int128 milli = 0) : milli_(milli) {}

private:
    Int128 milli_;
};

// ---- metav1.Status
int http_code(Reason reason);
std::string_view reason_name(Reason reason);  // "NotFound"
Json status_of(const Error& error);           // the Failure Status object
Error error_of(int http_status, const Json& status);
Error not_found(const Kind& kind, std::string_view name);
Error already_exists(const Kind& kind, std::string_view name);
Error conflict(const Kind& kind, std::string_view name);  // "the object has been modified; ..."
struct FieldError {
    std::string reason;   // FieldValueInvalid, FieldValueRequired, FieldValueForbidden, FieldValueNotSupported, ...
    std::string field;    // spec.trainer.numNodes
    std::string message;  // the text after "<field>: "
};
// 422 `TrainJob.trainer.kubeflow.org "x" is invalid: ...` with causes.
Error invalid(const Kind& kind, std::string_view name, const std::vector<FieldError>& errors);

}  // namespace shed
