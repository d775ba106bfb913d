#pragma once
// Changes to JSON documents: RFC 6902, RFC 7386, Kubernetes strategic merge, and server-side apply.
// Pure: documents in, document or error out. Errors carry the reasons and texts of the real server.
#include "fakes/kube/kube.hpp"
#include "fakes/types/types.hpp"

namespace shed {

Result<Json> json_patch(const Json& target, const Json& operations);  // at most 10,000 operations
Json merge_patch(const Json& target, const Json& patch);
// Merge keys and directives ($patch, $setElementOrder, $deleteFromPrimitiveList, $retainKeys) by the type table.
Result<Json> strategic_merge_patch(std::string_view api_version, std::string_view kind, const Json& target,
                                   const Json& patch);
// The same on a nested type by its table name ("io.k8s.api.core.v1.PodTemplateSpec"); runtimePatches need it.
Result<Json> strategic_merge_type(std::string_view type_name, const Json& target, const Json& patch);

struct ApplyOptions {
    std::string manager;
    bool force = false;
    std::string subresource = {};
    Time now{};
};
// Server-side apply: merges `applied` into `live` (null when creating), tracks ownership in metadata.managedFields,
// removes what the manager no longer applies, and refuses conflicts with 409 unless forced.
Result<Json> apply_patch(const Kind& kind, const Json& live, const Json& applied, const ApplyOptions& options);
// Records in `object` that `manager` wrote the difference to `live` by a plain write (operation Update).
void record_update(const Kind& kind, const Json& live, Json& object, const ApplyOptions& options);

}  // namespace shed
