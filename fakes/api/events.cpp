// Events are stored once, in core's form. events.k8s.io shows the same object under other names.
#include "fakes/api/internal.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

struct Renamed {
    const char* core;
    const char* other;
    bool required_in_core, required_in_other;  // always present, null or empty if need be
};
constexpr Renamed members[] = {
    {"involvedObject", "regarding", true, false},
    {"message", "note", false, false},
    {"source", "deprecatedSource", true, true},
    {"firstTimestamp", "deprecatedFirstTimestamp", true, true},
    {"lastTimestamp", "deprecatedLastTimestamp", true, true},
    {"count", "deprecatedCount", false, false},
    {"reportingComponent", "reportingController", true, false},
};

void rename(Json& object, const char* from, const char* to) {
    const auto found = object.find(from);
    if (found == object.end()) return;
    Json value = std::move(*found);
    object.erase(found);
    object[to] = std::move(value);
}

void drop_if_empty(Json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return;
    const bool empty = found->is_null() || (found->is_string() && found->get<std::string>().empty());
    if (empty) object.erase(found);
}

void set_if_absent(Json& object, const char* name, Json value) {
    if (!object.contains(name)) object[name] = std::move(value);
}

}  // namespace

bool is_new_event(const Kind& kind) { return kind.group == "events.k8s.io"; }

const Kind& stored_kind(const Kind& kind) {
    static const Kind& core = kind_of("v1", "Event");
    return is_new_event(kind) ? core : kind;
}

void normalize_event(Json& event) {
    if (const Json& source = member(event, "source"); source.is_null()) event["source"] = Json::object();
    set_if_absent(event, "involvedObject", Json::object());
    set_if_absent(event, "firstTimestamp", nullptr);
    set_if_absent(event, "lastTimestamp", nullptr);
    set_if_absent(event, "eventTime", nullptr);
    set_if_absent(event, "reportingComponent", "");
    set_if_absent(event, "reportingInstance", "");
}

Json event_to_core(Json event) {
    for (const Renamed& m : members) rename(event, m.other, m.core);
    event["apiVersion"] = "v1";
    return event;
}

Json event_from_core(const Json& event) {
    Json result = event;
    for (const Renamed& m : members) {
        rename(result, m.core, m.other);
        if (!m.required_in_other) drop_if_empty(result, m.other);
    }
    drop_if_empty(result, "reportingInstance");
    drop_if_empty(result, "action");
    result["apiVersion"] = "events.k8s.io/v1";
    return result;
}

ObjectPtr presented(const Kind& wanted, const ObjectPtr& stored) {
    if (!stored || !is_new_event(wanted) || is_new_event(stored->kind())) return stored;
    return Object::make(event_from_core(stored->dom()));
}

}  // namespace shed
