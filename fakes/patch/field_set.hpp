#pragma once
// Sets of paths, as managedFields keeps them (FieldsV1), and what apply does with them.
#include "fakes/patch/merge_keys.hpp"

#include <map>

namespace shed {

// A tree of path steps: "f:name", "k:{...}" for an entry of a list map, "v:..." for an entry of a
// set.
class FieldSet {
public:
    bool member = false;  // the path that ends here is in the set
    std::map<std::string, FieldSet> children;

    static FieldSet read(const Json& fields_v1);
    // The paths of an object: its leaves, and the entries of its list maps.
    static FieldSet of(const Json& object, const Place& place);
    Json fields_v1() const;

    bool empty() const { return !member && children.empty(); }
    void remove(const FieldSet& other);
    FieldSet without(const FieldSet& other) const;
    void add(const FieldSet& other);
    bool operator==(const FieldSet&) const = default;
};

// One value inside another by a path step; nullptr when it is not there.
const Json* find_step(const Json& value, const std::string& step, const Place& place);
Place place_of_step(const std::string& step, const Place& place);

// The paths of `owned` whose values an apply changes: in `merged` other than in `live`.
FieldSet changed_paths(const FieldSet& owned, const Json& live, const Json& merged,
                       const Place& place);
// Takes the paths of `gone` out of `value`. Entries of lists go as a whole unless `kept` has a part
// of them; objects that become empty go too.
void take_out(Json& value, const FieldSet& gone, const FieldSet& kept, const Place& place);
// Every path as text, `.spec.containers[name="c"].image`.
std::vector<std::string> path_texts(const FieldSet& set);

}  // namespace shed
