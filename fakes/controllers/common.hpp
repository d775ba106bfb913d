#pragma once
// What the controllers share. Nobody outside includes this.
#include "fakes/controllers/controllers.hpp"

namespace shed::controllers {

const Kind& trainjobs();
const Kind& jobsets();
const Kind& jobs();
const Kind& pods();
const Kind& services();
const Kind& config_maps();
const Kind& secrets();
const Kind& nodes();
const Kind& namespaces();

Json owner_reference(const Object& owner);  // controller and blockOwnerDeletion true
// The controller owner's key when it is of this kind and the one the reference names; else nothing.
std::vector<Key> owner_keys(const Snapshot& cluster, const Object& changed, const Kind& kind);
// {type, status, reason, message, lastTransitionTime}, kept by type; true when anything but the time changed. The time moves
// only with the status (apimachinery's SetStatusCondition).
bool set_condition(Json& conditions, const std::string& type, bool status, const std::string& reason,
                   const std::string& message, const std::string& time);
const Json& condition_in(const Json& conditions, const std::string& type);
bool is_true(const Json& conditions, const std::string& type);
Json& entry_named(Json& list, const std::string& name);  // appended when absent
const Json* find_named(const Json& list, const std::string& name);
// Replaces the entry whose `key` equals, or appends.
void upsert(Json& list, const std::string& key, Json entry);
bool has_finalizer(const Object& object, std::string_view name);
Json without_finalizer(const Object& object, std::string_view name);  // the merge patch that takes it off
std::string name_suffix(std::string_view seed);  // five characters of the API's alphabet

}  // namespace shed::controllers
