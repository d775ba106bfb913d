#pragma once
// metadata.managedFields: who wrote which fields of an object, and how. Nobody outside includes this.
#include "fakes/patch/field_set.hpp"
#include "fakes/patch/patch.hpp"

#include <nlohmann/json.hpp>
#include <tuple>

namespace shed {

// One entry, read.
struct FieldManager {
    Json entry;
    FieldSet fields;

    std::string text(const char* name) const { return string_at(entry, name); }
    std::string title() const;  // as conflicts name it
    auto order() const {
        return std::tuple(text("operation"), text("time"), text("manager"), text("apiVersion"),
                          text("subresource"));
    }
    bool is(const ApplyOptions& options, std::string_view operation) const;
};

std::vector<FieldManager> managers_of(const Json& object);
Json managed_fields(std::vector<FieldManager> managers);  // those that own nothing are left out
FieldManager manager_for(const Kind& kind, const ApplyOptions& options, std::string_view operation,
                    FieldSet fields);
// What ownership is never kept of goes: it identifies the object or is the server's own.
Json owned_part(Json object);

}  // namespace shed
