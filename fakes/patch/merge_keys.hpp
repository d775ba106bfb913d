#pragma once
// How the values of an object merge: walks the type table, or the schema of a custom resource,
// beside the values.
#include "fakes/types/types.hpp"

#include <string_view>
#include <vector>

namespace shed {

enum class ListMerge { atomic, set, by_key };

struct ListRule {
    ListMerge merge = ListMerge::atomic;
    std::vector<std::string_view> keys = {};  // of a strategic merge: one
};

// What server-side apply's schema has at a place.
enum class Expected { anything, map, list, string, number, boolean, scalar };

// A place in a type: an object, a member, or an entry of a list. Of an unknown place nothing is
// known; lists there are atomic and objects merge by member.
class Place {
public:
    Place() = default;
    static Place of(std::string_view api_version, std::string_view kind);
    // By table name; "JobSetSpec" and its like are found in the schemas of the custom kinds.
    static Place of_type(std::string_view name);

    Place member(std::string_view name) const;
    Place entry() const;  // of the list or map at this place

    ListRule strategic() const;  // how a strategic merge merges the list here
    ListRule applied() const;    // how server-side apply does
    Expected expected() const;
    bool declares(std::string_view name) const;  // such a member may be here
    bool atomic() const;         // server-side apply owns the object here as a whole
    // The keys of one entry of the list here, with defaults for those it leaves out, as
    // managedFields names it.
    Json key_of(const Json& entry) const;

private:
    explicit Place(const Type* type) : type_(type) {}
    explicit Place(const Json& schema);
    const Type* object_type() const;
    Json default_of(std::string_view name) const;  // of a member

    const TypeField* field_ = nullptr;  // of a built-in type
    const Type* type_ = nullptr;        // of a whole object, or of an entry of `field_`
    const Json* schema_ = nullptr;      // of a custom resource; never with the two above
};

}  // namespace shed
