#pragma once
// Values whose JSON form is not that of their message: times, quantities, embedded JSON.
#include "fakes/types/types.hpp"
#include "fakes/types/wire.hpp"

namespace shed {

// The message in `reader` as JSON. For shapes from Shape::time on, except the three of schemas.
Result<Json> decode_special(Shape shape, WireReader reader);
// What Go writes for the zero value of such a type.
Json zero_special(Shape shape);

// A string as Go's JSON encoder writes it: what is not UTF-8 becomes U+FFFD.
Json json_string(std::string_view bytes);

}  // namespace shed
