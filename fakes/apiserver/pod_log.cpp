// GET .../pods/NAME/log: which attempt of which container, in a kubelet's words when there is none.
#include "fakes/apiserver/apiserver.hpp"

#include "fakes/apiserver/streams.hpp"
#include "fakes/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

std::vector<std::string> names_in(const Json& pod, const char* path) {
    std::vector<std::string> names;
    if (const Json& list = at_path(pod, path); list.is_array())
        for (const Json& container : list) names.push_back(string_at(container, "name"));
    return names;
}

}  // namespace

Result<std::string> choose_container(const Json& pod, const std::string& pod_name, const std::string& wanted) {
    const auto containers = names_in(pod, "spec.containers"), inits = names_in(pod, "spec.initContainers");
    if (wanted.empty()) {
        if (containers.size() == 1) return containers[0];
        std::string message = "a container name must be specified for pod " + pod_name + ", choose one of: [" +
                              joined(containers, " ") + "]";
        if (!inits.empty()) message += " or one of the init containers: [" + joined(inits, " ") + "]";
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

constexpr std::int64_t since_seconds_max = 100LL * 365 * 24 * 3600;

Result<std::optional<std::int64_t>> count(const Request& request, std::string_view name) {
    const std::string_view text = request.parameter(name);
    if (text.empty()) return std::optional<std::int64_t>();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return Error{Reason::bad_request, "strconv.ParseInt: parsing \"" + std::string(text) + "\": invalid syntax"};
    return std::optional<std::int64_t>(value);
}

Error invalid_options(const std::string& pod, const std::vector<FieldError>& errors) {
    Error refused = invalid(kind_of("v1", "Pod"), pod, errors);
    refused.message.replace(0, refused.message.find(' '), "PodLogOptions");
    auto details = parse_json(refused.details);
    if (!details) return refused;
    (*details)["kind"] = "PodLogOptions";
    refused.details = dump_json(*details);
    return refused;
}

// The numbers of a query, by ValidatePodLogOptions of pkg/apis/core/validation.
Result<void> take_limits(const Request& request, Time now, PodLogs::Query& query) {
    const auto tail = count(request, "tailLines"), limit = count(request, "limitBytes"),
               since = count(request, "sinceSeconds");
    for (const auto* parsed : {&tail, &limit, &since})
        if (!*parsed) return parsed->error();
    const std::string_view since_time = request.parameter("sinceTime");
    std::vector<FieldError> errors;
    const auto check = [&](const char* field, const std::optional<std::int64_t>& value, std::int64_t least,
                           const char* message) {
        if (value && *value < least)
            errors.push_back({"FieldValueInvalid", field, "Invalid value: " + std::to_string(*value) + ": " + message});
    };
    check("tailLines", *tail, 0, "must be greater than or equal to 0");
    check("limitBytes", *limit, 1, "must be greater than 0");
    if (*since && !since_time.empty())
        errors.push_back({"FieldValueForbidden", "",
                          "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"});
    else check("sinceSeconds", *since, 1, "must be greater than 0");
    if (!errors.empty()) return invalid_options(request.name, errors);
    query.tail_lines = *tail;
    query.limit_bytes = *limit;
    if (*since) query.since = now - std::chrono::seconds(std::min(**since, since_seconds_max));
    if (since_time.empty()) return {};
    query.since = parse_time(since_time);
    if (query.since) return {};
    return Error{Reason::bad_request, "bad sinceTime: \"" + std::string(since_time) + "\" is not RFC 3339"};
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
    PodLogs::Query query;
    if (auto taken = take_limits(request, now, query); !taken) return taken.error();
    const Json& dom = pod->dom();
    auto container = choose_container(dom, pod->name(), std::string(request.parameter("container")));
    if (!container) return container.error();
    query.pod = pod;
    query.container = *container;
    query.follow = request.flag("follow");
    query.timestamps = request.flag("timestamps");
    const Json& status = status_of_container(dom, *container);
    if (!status.is_object()) return waiting(*container, pod->name(), "ContainerCreating");
    const auto attempt = choose_attempt(status, *container, pod->name(), request.flag("previous"));
    if (!attempt) return attempt.error();
    query.attempt = *attempt;
    return query;
}

}  // namespace shed
