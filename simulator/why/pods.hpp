#pragma once
// What single pods say: what they wait for, and which of their containers failed first.
#include "simulator/why/diagnosis.hpp"

namespace shed {

struct Wait {
    std::string reason, message;
};
// What keeps a pod from being Ready; nullopt when nothing does, or when it has ended.
std::optional<Wait> wait_of(const Object& pod, const std::vector<ObjectPtr>& events);

// The latest Warning event about an object; nullptr when there is none.
const Object* last_warning(const Object& about, const std::vector<ObjectPtr>& events);

// The earliest container that ended badly by itself. What was told to end because its pod was being
// deleted is a consequence, not a cause.
std::optional<FirstFailure> first_failure_of(const std::vector<KnownPod>& pods);

}  // namespace shed
