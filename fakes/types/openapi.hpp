#pragma once
// Schemas of OpenAPI v3, as text: a document is put together from them without a DOM of its size.
#include "fakes/types/types.hpp"

#include <set>

namespace shed {

using Texts = std::vector<std::pair<std::string, std::string>>;  // name, JSON

std::string json_object(const Texts& members);
std::string reference_to(std::string_view schema);  // the name of a schema as a {"$ref"} object

// The members of the schema of a built-in type, by keyword; `uses` gets the names of schemas it
// refers to.
Texts schema_of_type(const Type& type, std::set<std::string>& uses);
// The schema of a type with a JSON form of its own (Time, Quantity), by its name; empty when there
// is none.
std::string special_schema(std::string_view name);
// The same of a custom resource, everything in place, but for metadata.
Texts schema_of_custom(const Kind& kind, std::set<std::string>& uses);
// "io.k8s.api.core.v1.Pod", "org.kubeflow.trainer.v1alpha1.TrainJob".
std::string schema_name(const Kind& kind);

}  // namespace shed
