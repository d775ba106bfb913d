#include "tests/flow/normalise.hpp"

#include "fakes/controllers/sha1.hpp"

#include <algorithm>
#include <regex>

namespace shed {

namespace {

const std::regex pod_suffix("^(.+)-[bcdfghjklmnpqrstvwxz2456789]{5}$");
std::string replaced(std::string text, const std::string& from, const std::string& to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

bool is_event(const Object& object) { return object.kind().plural == "events"; }

std::string reporter(const Json& event) {
    const std::string component = string_at(event, "reportingComponent");
    return component.empty() ? string_at(event, "reportingController") : component;
}

Json event_row(const Json& event) {
    const Json& about = member(event, "involvedObject");
    return Json::array({string_at(about, "kind"), string_at(about, "name"),
                        string_at(event, "type"), string_at(event, "reason"),
                        string_at(event, "message"), reporter(event)});
}

void add_conditions(Json& seen, const Json& object) {
    const Json& conditions = at_path(object, "status.conditions");
    if (!conditions.is_array()) return;
    for (const Json& condition : conditions) {
        const Json row = Json::array({string_at(condition, "type"), string_at(condition, "status"),
                                      string_at(condition, "reason"),
                                      string_at(condition, "message")});
        const auto last = std::find_if(seen.rbegin(), seen.rend(),
                                       [&](const Json& other) { return other[0] == row[0]; });
        if (last == seen.rend() || *last != row) seen.push_back(row);
    }
}

}  // namespace

std::string Normaliser::pod_name(const Object& object) {
    const std::string& name = object.name();
    std::smatch parts;
    if (object.kind().plural != "pods" || !std::regex_match(name, parts, pod_suffix)) return name;
    const std::string base = parts[1];
    if (const auto known = pods_.find(name); known != pods_.end()) return known->second;
    const auto turn = std::count_if(pods_.begin(), pods_.end(), [&](const auto& pod) {
        return pod.second.starts_with(base + "-<");
    });
    return pods_[name] = base + "-<" + std::to_string(turn) + ">";
}

void Normaliser::learn(const Object& object) {
    if (is_event(object)) return;
    if (object.kind().plural == "jobs")
        hashes_[controllers::sha1_hex(object.ns() + "/" + object.name())] =
            "<sha1 of namespace/" + object.name() + ">";
    uids_.try_emplace(object.uid(),
                      "<uid " + std::string(object.kind().kind) + "/" + pod_name(object) + ">");
}

std::string Normaliser::text(std::string value) const {
    for (const auto& [name, placeholder] : pods_) value = replaced(value, name, placeholder);
    for (const auto& [uid, placeholder] : uids_) value = replaced(value, uid, placeholder);
    for (const auto& [hash, placeholder] : hashes_) value = replaced(value, hash, placeholder);
    static const std::pair<std::regex, const char*> forms[] = {
        {std::regex("\\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\\b"), "<uid>"},
        {std::regex("\\b\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z"), "<time>"},
        {std::regex("\\b10\\.(244|0)\\.\\d+\\.\\d+\\b"), "<ip>"},
        {std::regex("\\bkube-api-access-[a-z0-9]{5}\\b"), "kube-api-access-<r>"},
        {std::regex("\\b(containerd://|sha256:)[0-9a-f]{64}\\b"), "$1<hash>"},
        {std::regex("resourceVersion: \"\\d+\""), "resourceVersion: \"<rv>\""}};
    for (const auto& [form, placeholder] : forms)
        value = std::regex_replace(value, form, placeholder);
    return replaced(std::move(value), ns_, "<ns>");
}

Json Normaliser::value_of(const Json& value, const std::string& key) const {
    if (key == "resourceVersion") return "<rv>";
    if (value.is_string() && (key == "ssh-privatekey" || key == "ssh-publickey"))
        return "<" + key + ">";
    if (value.is_string()) return text(value.get<std::string>());
    if (value.is_array()) {
        Json result = Json::array();
        for (const Json& entry : value) result.push_back(value_of(entry, ""));
        return result;
    }
    if (!value.is_object()) return value;
    Json result = Json::object();
    for (const auto& [name, entry] : value.items())
        if (name != "managedFields") result[text(name)] = value_of(entry, name);
    return result;
}

Json record_of(const PaperCluster& cluster, Store& store, const std::string& ns) {
    Normaliser normal(ns);
    for (const auto& change : cluster.history())
        if (change.object->ns() == ns || change.object->ns().empty()) normal.learn(*change.object);
    Json record = {{"final", Json::array()}, {"conditions", Json::object()}};
    std::set<Json> events;
    for (const auto& change : cluster.history()) {
        if (change.object->ns() != ns) continue;
        const Json object = normal(change.object->dom());
        if (is_event(*change.object)) events.insert(event_row(object));
        else if (change.object->kind().plural != "pods" && member(object, "status").is_object()) {
            const std::string name = string_at(object, "kind") + "/" + string_at(object, "metadata.name");
            Json& seen = record["conditions"][name];
            if (seen.is_null()) seen = Json::array();
            add_conditions(seen, object);
            if (seen.empty()) record["conditions"].erase(name);
        }
    }
    record["events"] = events;
    for (const Kind& kind : all_kinds())
        if (kind.namespaced && !kind.create_only && kind.plural != "events")
            for (const ObjectPtr& object : store.list(kind, ns))
                record["final"].push_back(normal(object->dom()));
    std::sort(record["final"].begin(), record["final"].end(), [](const Json& a, const Json& b) {
        return std::pair(string_at(a, "kind"), string_at(a, "metadata.name")) <
               std::pair(string_at(b, "kind"), string_at(b, "metadata.name"));
    });
    return record;
}

}  // namespace shed
