// GET .../pods/NAME/log: which attempt of which container, in a kubelet's words when there is none.
#include "fakes/apiserver/apiserver.hpp"

#include "fakes/apiserver/streams.hpp"

#include <nlohmann/json.hpp>

namespace shed {

namespace {

std::vector<std::string> names_in(const Json& pod, const char* path) {
    std::vector<std::string> names;
    if (const Json& list = at_path(pod, path); list.is_array())
        for (const Json& container : list) names.push_back(string_at(container, "name"));
    return names;
}

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
    return text;
}

}  // namespace

Result<std::string> choose_container(const Json& pod, const std::string& pod_name, const std::string& wanted) {
    const auto containers = names_in(pod, "spec.containers"), inits = names_in(pod, "spec.initContainers");
    if (wanted.empty()) {
        if (containers.size() == 1) return containers[0];
        std::string message = "a container name must be specified for pod " + pod_name + ", choose one of: [" +
                              joined(containers) + "]";
        if (!inits.empty()) message += " or one of the init containers: [" + joined(inits) + "]";
        return Error{Reason::bad_request, message};
    }
    for (const auto* list : {&containers, &inits})
        for (const std::string& name : *list)
            if (name == wanted) return wanted;
    return Error{Reason::bad_request, "container " + wanted + " is not valid for pod " + pod_name};
}

namespace {

const Json& status_of_container(const Json& pod, const std::string& name) {
    static const Json none;
    for (const char* path : {"status.containerStatuses", "status.initContainerStatuses"}) {
        const Json& list = at_path(pod, path);
        if (!list.is_array()) continue;
        for (const Json& status : list)
            if (string_at(status, "name") == name) return status;
    }
    return none;
}

Error waiting(const std::string& container, const std::string& pod, const std::string& reason) {
    return {Reason::bad_request,
            "container \"" + container + "\" in pod \"" + pod + "\" is waiting to start: " + reason};
}

Result<std::optional<std::int64_t>> count(const Request& request, std::string_view name) {
    const std::string text(request.parameter(name));
    if (text.empty()) return std::optional<std::int64_t>();
    char* end = nullptr;
    const long long value = std::strtoll(text.c_str(), &end, 10);
    if (end == nullptr || *end != '\0') return Error{Reason::bad_request, "bad " + std::string(name) + ": " + text};
    if (value < 0) {
        FieldError error{"FieldValueInvalid", std::string(name),
                         "Invalid value: " + text + ": must be greater than or equal to 0"};
        Error refused = invalid(kind_of("v1", "Pod"), request.name, {error});
        refused.message = "PodLogOptions \"" + request.name + "\" is invalid: " + error.field + ": " + error.message;
        return refused;
    }
    return std::optional<std::int64_t>(value);
}

// Which attempt's output is meant: the present one, the one before, or none yet.
Result<int> choose_attempt(const Json& status, const std::string& container, const std::string& pod, bool previous) {
    const int restarts = static_cast<int>(int_at(status, "restartCount"));
    if (previous) {
        if (restarts == 0)
            return Error{Reason::bad_request,
                         "previous terminated container \"" + container + "\" in pod \"" + pod + "\" not found"};
        return restarts - 1;
    }
    const Json& wait = at_path(status, "state.waiting");
    if (!wait.is_object()) return restarts;
    // While it backs off, the log is the one of the attempt that failed.
    if (at_path(status, "lastState.terminated").is_object()) return restarts;
    return waiting(container, pod, string_at(wait, "reason", "ContainerCreating"));
}

}  // namespace

Result<PodLogs::Query> log_query(const ObjectPtr& pod, const Request& request, Time now) {
    const Json& dom = pod->dom();
    auto container = choose_container(dom, pod->name(), std::string(request.parameter("container")));
    if (!container) return container.error();
    PodLogs::Query query;
    query.pod = pod;
    query.container = *container;
    query.follow = request.flag("follow");
    query.timestamps = request.flag("timestamps");
    auto tail = count(request, "tailLines"), limit = count(request, "limitBytes"), since = count(request, "sinceSeconds");
    for (const auto* parsed : {&tail, &limit, &since})
        if (!*parsed) return parsed->error();
    query.tail_lines = *tail;
    query.limit_bytes = *limit;
    if (*since) query.since = now - std::chrono::seconds(**since);
    if (const auto time = request.parameter("sinceTime"); !time.empty()) query.since = parse_time(time);
    const Json& status = status_of_container(dom, *container);
    if (!status.is_object()) return waiting(*container, pod->name(), "ContainerCreating");
    const auto attempt = choose_attempt(status, *container, pod->name(), request.flag("previous"));
    if (!attempt) return attempt.error();
    query.attempt = *attempt;
    return query;
}

}  // namespace shed
