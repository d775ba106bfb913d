#pragma once
// How lists of the built-in types merge. Keyed by the member's name: in the kinds served here a name means the same list
// everywhere it occurs, but for the exceptions the table spells out.
#include <string_view>
#include <vector>

namespace shed {

enum class ListMerge { atomic, set, by_key };

struct ListRule {
    ListMerge merge = ListMerge::atomic;
    std::string_view key = {};               // of a strategic merge
    std::vector<std::string_view> keys = {};  // of a server-side apply; usually the same one
};

// `parent` is the member that holds the list, "" at the top: ports of a Service have another key than ports of a container.
ListRule list_rule(std::string_view parent, std::string_view name);

}  // namespace shed
