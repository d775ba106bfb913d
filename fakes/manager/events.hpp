#pragma once
// Event objects as real recorders write them: core/v1 style (count, first and last time) or events.k8s.io style
// (eventTime, action, no count), both stored as core/v1.
#include "fakes/controllers/controllers.hpp"

namespace shed {

// The Event to create. `about` may be a stale or deleted object: only its identity is used.
// `serial` tells events of the same microsecond apart: names carry nanoseconds.
Json make_event(const EmitEvent& event, const Object& about, Time now, std::uint64_t serial);
// The same cause seen again within its series: the merge patch for the existing Event.
Json repeat_event(const Json& existing, Time now);
// Equal for events that real recorders would count as one.
std::string event_identity(const EmitEvent& event, const Object& about);

}  // namespace shed
