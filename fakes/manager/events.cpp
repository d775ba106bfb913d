#include "fakes/manager/events.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

// <object>.<nanoseconds in hex>, as client-go's recorders name them.
std::string event_name(const std::string& object, Time now, std::uint64_t serial) {
    const auto nanos = std::chrono::nanoseconds(now.time_since_epoch()).count();
    char text[32];
    std::snprintf(text, sizeof text, ".%llx",
                  static_cast<unsigned long long>(nanos) + serial % 1000);
    return object + text;
}

Json reference_to(const Object& about) {
    Json reference = {{"kind", about.kind().kind},
                      {"name", about.name()},
                      {"uid", about.uid()},
                      {"apiVersion", about.kind().api_version()},
                      {"resourceVersion", std::to_string(about.resource_version())}};
    if (!about.ns().empty()) reference["namespace"] = about.ns();
    return reference;
}

}  // namespace

Json make_event(const EmitEvent& event, const Object& about, Time now, std::uint64_t serial) {
    Json object = {{"apiVersion", "v1"},
                   {"kind", "Event"},
                   {"metadata",
                    {{"name", event_name(about.name(), now, serial)},
                     {"namespace", about.ns().empty() ? "default" : about.ns()}}},
                   {"involvedObject", reference_to(about)},
                   {"reason", event.reason},
                   {"message", event.message},
                   {"type", event.type},
                   {"reportingComponent", event.component}};
    if (event.new_style) {
        object["source"] = Json::object();
        object["firstTimestamp"] = nullptr;
        object["lastTimestamp"] = nullptr;
        object["eventTime"] = format_micro_time(now);
        object["action"] = event.action;
        object["reportingInstance"] = event.component + "-trainshed";
    } else {
        object["source"] = {{"component", event.component}};
        object["firstTimestamp"] = format_time(now);
        object["lastTimestamp"] = format_time(now);
        object["count"] = 1;
        object["eventTime"] = nullptr;
        object["reportingInstance"] = "";
    }
    return object;
}

Json repeat_event(const Json& existing, Time now) {
    if (member(existing, "eventTime").is_null())
        return {{"count", int_at(existing, "count", 1) + 1}, {"lastTimestamp", format_time(now)}};
    return {{"series",
             {{"count", int_at(existing, "series.count", 1) + 1},
              {"lastObservedTime", format_micro_time(now)}}}};
}

std::string event_identity(const EmitEvent& event, const Object& about) {
    return about.uid() + '\n' + event.component + '\n' + event.type + '\n' + event.reason + '\n' +
           event.message;
}

}  // namespace shed
