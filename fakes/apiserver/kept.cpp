// What the cluster itself has forgotten: the attempts of pods that are gone, and their logs.
#include "fakes/apiserver/apiserver.hpp"

#include <charconv>
#include <nlohmann/json.hpp>

namespace shed {

namespace {

const Kind& pods_kind() { return kind_of("v1", "Pod"); }

Json row(const Object& pod, bool gone, PodLogs& logs) {
    return {{"pod", pod.dom()}, {"gone", gone}, {"attempts", logs.attempts(pod)}};
}

ObjectPtr find_pod(const Store& store, PodLogs& logs, const std::string& ns, const std::string& uid) {
    const ObjectPtr known = store.find_by_uid(uid);
    if (known && &known->kind() == &pods_kind() && known->ns() == ns) return known;
    for (const ObjectPtr& pod : logs.gone_pods(ns))
        if (pod->uid() == uid) return pod;
    return nullptr;
}

std::string parameter(const std::multimap<std::string, std::string>& parameters, const char* name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? "" : found->second;
}

std::optional<int> whole_number(const std::string& text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
    return value;
}

}  // namespace

Json attempts_of_namespace(const Store& store, PodLogs& logs, const std::string& ns) {
    Json rows = Json::array();
    for (const ObjectPtr& pod : logs.gone_pods(ns)) rows.push_back(row(*pod, true, logs));
    for (const ObjectPtr& pod : store.list(pods_kind(), ns)) rows.push_back(row(*pod, false, logs));
    return {{"pods", std::move(rows)}};
}

Result<PodLogs::Query> kept_log_query(const Store& store, PodLogs& logs, const std::string& ns,
                                      const std::string& uid,
                                      const std::multimap<std::string, std::string>& parameters) {
    const ObjectPtr pod = find_pod(store, logs, ns, uid);
    if (!pod)
        return Error{Reason::not_found, "nothing is kept of a pod with the uid \"" + uid + "\""};
    PodLogs::Query query;
    query.pod = pod;
    query.container = parameter(parameters, "container");
    const auto attempt = whole_number(parameter(parameters, "attempt"));
    if (!attempt) return Error{Reason::bad_request, "attempt must be a number from 0"};
    query.attempt = *attempt;
    if (const std::string tail = parameter(parameters, "tailLines"); !tail.empty()) {
        const auto lines = whole_number(tail);
        if (!lines) return Error{Reason::bad_request, "tailLines must be a number from 0"};
        query.tail_lines = *lines;
    }
    query.timestamps = parameter(parameters, "timestamps") == "true";
    // The container's name becomes a part of a path.
    for (const Json& known : logs.attempts(*pod))
        if (string_at(known, "container") == query.container) return query;
    return Error{Reason::not_found, "pod \"" + pod->name() + "\" has no log of a container \"" +
                                        query.container + "\""};
}

}  // namespace shed
